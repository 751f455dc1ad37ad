import { CommanderError, type Command as CommanderCommand } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import type { Command, Input } from "../commands/command.ts";
import { commands, nouns } from "../commands/index.ts";
import { describePlanned } from "../commands/planned.ts";
import { findFolders } from "../config/folders.ts";
import { findConfigPath } from "../config/find-config.ts";
import { OperatorError } from "../system/errors.ts";
import { makeTerminal, type Terminal } from "../terminal/terminal.ts";
import { buildProgram, type GlobalFlags } from "./build-program.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { makeContext } from "./make-context.ts";
import { showError } from "./show-error.ts";
import { watchSignals, type Signals } from "./watch-signals.ts";

/** lcops failed before the child whose exit code it would have returned; as ssh does. */
const BEFORE_CHILD = 255;

/** Given the words of the command line, without node and script, do what they say and return the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Whoever read has seen enough (`| head`): a quiet end.
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  return runLcops(words, watchSignals());
}

async function runLcops(words: readonly string[], signals: Signals): Promise<number> {
  const dashes = words.indexOf("--");
  const rest = dashes < 0 ? undefined : words.slice(dashes + 1);
  const head = dashes < 0 ? words : words.slice(0, dashes);
  let code = 0;
  const program = buildProgram({
    commands,
    nouns,
    version: packageJson.version,
    rest,
    writeOut: (text) => void process.stdout.write(text),
    writeErr: (text) => void process.stderr.write(text),
    act: async (command, input) => {
      code = await runCommand(command, input, program.opts<GlobalFlags>(), signals);
    },
  });
  try {
    await program.parseAsync(nameDefaultCommand(head, program), { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const terminal = openTerminal(program.opts<GlobalFlags>());
    const planned = describePlanned(head);
    const message = planned ?? error.message.replace(/^error: /, "").replace(/\n+/g, " ");
    showError(new OperatorError("usage", message, { next: "see lcops help" }), terminal);
    return 2;
  }
}

/** `lcops` alone, or with flags only: the menu in a terminal, the help elsewhere. */
function nameDefaultCommand(head: readonly string[], program: CommanderCommand): readonly string[] {
  const { operands, unknown } = program.parseOptions([...head]);
  if (operands.length > 0 || unknown.length > 0) return head;
  const terminal = openTerminal(program.opts<GlobalFlags>());
  return terminal.canPrompt && terminal.isScreen ? [...head, "menu"] : [...head, "--help"];
}

async function runCommand(
  command: Command,
  input: Input,
  flags: GlobalFlags,
  signals: Signals,
): Promise<number> {
  const terminal = openTerminal(flags);
  const folders = findFolders(process.env);
  const context = makeContext({
    terminal,
    folders,
    signals,
    version: packageJson.version,
    environment: process.env,
    configPath: findConfigPath(flags.config, process.env, folders),
    environmentFlag: flags.env,
    runLcops: (words) => runLcops([...passOn(flags), ...words], signals),
    self: [process.execPath, process.argv[1] ?? ""],
  });
  try {
    if (input.rest !== undefined && command.rest === undefined) {
      throw new OperatorError("usage", `lcops ${command.name} takes nothing behind --`, {
        next: `see lcops help ${command.name}`,
      });
    }
    return await command.run(input, context);
  } catch (error) {
    showError(error, terminal);
    const isBeforeChild = command.returnsChildCode?.(input) === true && !signals.signal.aborted;
    return isBeforeChild
      ? BEFORE_CHILD
      : exitCodeOf(signals.signal.aborted ? signals.signal.reason : error);
  }
}

/** What was given to the menu holds for what it runs. */
function passOn(flags: GlobalFlags): string[] {
  return [
    ...(flags.config === undefined ? [] : ["--config", flags.config]),
    ...(flags.env === undefined ? [] : ["--env", flags.env]),
    ...(flags.json ? ["--json"] : []),
    ...(flags.quiet ? ["--quiet"] : []),
    ...(flags.verbose ? ["--verbose"] : []),
    ...(flags.input ? [] : ["--no-input"]),
    ...(flags.color ? [] : ["--no-color"]),
  ];
}

function openTerminal(flags: GlobalFlags): Terminal {
  return makeTerminal(process, process.env, {
    json: flags.json === true,
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
    input: flags.input,
    color: flags.color,
  });
}
