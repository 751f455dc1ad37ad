import { exitCodeOfCommand } from "../../src/cli/exit-code-of.ts";
import { makeGate } from "../../src/cli/make-gate.ts";
import { readCommandLine } from "../../src/cli/read-command-line.ts";
import {
  explainCommandLine,
  readGuard,
  readWishes,
  refuseMisuse,
} from "../../src/cli/run-command.ts";
import { showError } from "../../src/cli/show-error.ts";
import type { Context } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import type { Setting } from "../terminal/fake-streams.ts";
import { makeFakeContext, PIPED } from "./fake-context.ts";

export interface InProcessResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process, in a pipe, with the members of the context that the test gives. The gate heeds the flags. */
export async function runInProcess(
  words: readonly string[],
  members: Partial<Context> = {},
  setting: Setting = PIPED,
): Promise<InProcessResult> {
  const line = readCommandLine(words, "0", () => false);
  if (line.kind === "printed") return { code: line.code, stdout: "", stderr: "" };
  const { json = false, verbose = false, quiet = false } = line.flags;
  const flags = { json, verbose, quiet, ...setting.flags };
  const { context, out, err } = makeFakeContext({ commands, ...members }, { ...setting, flags });
  const fail = (error: unknown, returnsChildCode: boolean): InProcessResult => {
    showError(error, context.terminal);
    return { code: exitCodeOfCommand(error, returnsChildCode), stdout: out(), stderr: err() };
  };
  if (line.kind === "refused")
    return fail(explainCommandLine(line.message, line.topic), line.returnsChildCode);
  const { command, input } = line;
  try {
    refuseMisuse(command, input, line.flags);
    const code = await command.run(input, {
      ...context,
      environmentFlag: line.flags.env,
      scopeWishes: readWishes(line.flags, input),
      gate: makeGate(readGuard(input), context.terminal, context.prompts),
    });
    return { code, stdout: out(), stderr: err() };
  } catch (error) {
    return fail(error, command.returnsChildCode?.(input) === true);
  }
}
