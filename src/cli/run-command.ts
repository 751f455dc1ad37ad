import type { Command, Context, Input } from "../commands/command.ts";
import { findConfigPath } from "../config/find-config.ts";
import { findFolders } from "../config/folders.ts";
import type { ScopeWishes } from "../inventory/plan-scopes.ts";
import { OperatorError } from "../system/errors.ts";
import { makeTerminal, type Terminal } from "../terminal/terminal.ts";
import type { GlobalFlags } from "./build-program.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { makeContext } from "./make-context.ts";
import { showError } from "./show-error.ts";
import { watchSignals } from "./watch-signals.ts";

/** lcops failed before the child whose exit code it would have returned; as ssh does. */
const BEFORE_CHILD = 255;

export interface Invocation {
  flags: GlobalFlags;
  version: string;
  commands: Context["commands"];
  /** Run another command line within this process. */
  runLcops: Context["runLcops"];
}

/** Given a command and what was typed for it, run it, tell its error, and return the exit code. */
export async function runCommand(
  command: Command,
  input: Input,
  invocation: Invocation,
): Promise<number> {
  const { flags, version } = invocation;
  // The SDK's note on its next Node version would reach everybody's cron mail.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const terminal = openTerminal(flags);
  const folders = findFolders(process.env);
  const signals = watchSignals();
  const context = makeContext({
    terminal,
    folders,
    signals,
    version,
    commands: invocation.commands,
    environment: process.env,
    configPath: findConfigPath(flags.config, process.env, folders),
    environmentFlag: flags.env,
    wishes: readWishes(flags, input),
    runLcops: (words) => invocation.runLcops([...passOn(flags), ...words]),
    self: [process.execPath, process.argv[1] ?? "", ...passOn(flags)],
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
    if (signals.signal.aborted) return exitCodeOf(signals.signal.reason);
    if (error instanceof OperatorError && error.kind === "cancelled") return exitCodeOf(error);
    return command.returnsChildCode?.(input) ? BEFORE_CHILD : exitCodeOf(error);
  }
}

function readWishes(flags: GlobalFlags, input: Input): ScopeWishes {
  const { profile, region } = input.options;
  return {
    ...(flags.env !== undefined && { environment: flags.env }),
    ...(typeof profile === "string" && { profile }),
    ...(typeof region === "string" && { region }),
  };
}

/** Given what is wrong with a command line, tell it and return the exit code. */
export function refuseCommandLine(message: string, flags: GlobalFlags): number {
  const error = new OperatorError("usage", message, { next: "see lcops help" });
  showError(error, openTerminal(flags));
  return exitCodeOf(error);
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
