import { exitCodeOfCommand } from "../../src/cli/exit-code-of.ts";
import { readCommandLine } from "../../src/cli/read-command-line.ts";
import { explainCommandLine, readWishes, refuseMisuse } from "../../src/cli/run-command.ts";
import { showError } from "../../src/cli/show-error.ts";
import type { Context } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import { makeFakeContext } from "./fake-context.ts";

export interface InProcessResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process, in a pipe, with the members of the context that the test gives. */
export async function runInProcess(
  words: readonly string[],
  members: Partial<Context> = {},
): Promise<InProcessResult> {
  const line = readCommandLine(words, "0", () => false);
  if (line.kind === "printed") return { code: line.code, stdout: "", stderr: "" };
  const { context, out, err } = makeFakeContext({ commands, ...members });
  const fail = (error: unknown, returnsChildCode: boolean): InProcessResult => {
    showError(error, context.terminal);
    return { code: exitCodeOfCommand(error, returnsChildCode), stdout: out(), stderr: err() };
  };
  if (line.kind === "refused")
    return fail(explainCommandLine(line.message, line.topic), line.returnsChildCode);
  const { command, input, flags } = line;
  try {
    refuseMisuse(command, input, flags);
    const wishes = readWishes(flags, input);
    const code = await command.run(input, {
      ...context,
      environmentFlag: flags.env,
      scopeWishes: wishes,
    });
    return { code, stdout: out(), stderr: err() };
  } catch (error) {
    return fail(error, command.returnsChildCode?.(input) === true);
  }
}
