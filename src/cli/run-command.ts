import type { Command, Context, Input } from "../commands/command.ts";
import { findConfigPath, findFolders } from "../config/folders.ts";
import type { ScopeWishes } from "../inventory/plan-scopes.ts";
import { OperatorError } from "../system/errors.ts";
import type { GuardFlags } from "../system/gate.ts";
import { makeTerminal, type Terminal } from "../terminal/terminal.ts";
import type { GlobalFlags } from "./build-program.ts";
import { exitCodeOf, exitCodeOfCommand } from "./exit-code-of.ts";
import { makeContext } from "./make-context.ts";
import { showError } from "./show-error.ts";
import { exitCodeOfOutput } from "./watch-output.ts";
import { withSignals } from "./with-signals.ts";

export interface Invocation {
  flags: GlobalFlags;
  version: string;
  /** The command line as it was typed. */
  words: readonly string[];
  commands: Context["commands"];
  /** Run another command line within this process. */
  runLcops: Context["runLcops"];
}

/** Variables as lcops was started with them; those that carry a secret are taken out of `process.env` once they are known. */
let started: NodeJS.ProcessEnv | undefined;

/** Given a command and what was typed for it, run it, tell its error, and return the exit code. */
export function runCommand(
  command: Command,
  input: Input,
  invocation: Invocation,
): Promise<number> {
  return withSignals(async (signals) => {
    const { flags, version } = invocation;
    // The SDK's note on its next Node version would reach everybody's cron mail.
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    started ??= { ...process.env };
    const terminal = openTerminal(flags);
    const folders = findFolders(started);
    try {
      refuseMisuse(command, input, flags);
      const context = makeContext({
        terminal,
        folders,
        signals,
        version,
        commands: invocation.commands,
        environment: started,
        configPath: findConfigPath(flags.config, started, folders),
        environmentFlag: flags.env,
        wishes: readWishes(flags, input),
        guard: readGuard(input),
        words: invocation.words,
        runLcops: (words) => invocation.runLcops([...passOn(flags), ...words]),
        self: [process.execPath, process.argv[1] ?? "", ...passOn(flags)],
      });
      const code = await command.run(input, context);
      return signals.signal.aborted ? exitCodeOf(signals.signal.reason) : code;
    } catch (error) {
      // What a stop makes fail on its way is no news.
      if (signals.signal.aborted) return exitCodeOf(signals.signal.reason);
      const ended = exitCodeOfOutput(error);
      if (ended !== undefined) return ended;
      showError(error, terminal);
      return exitCodeOfCommand(error, command.returnsChildCode?.(input) === true);
    }
  });
}

/** Returns what the command line says of environment, profile and region. Pure. */
export function readWishes(flags: GlobalFlags, input: Input): ScopeWishes {
  const { profile, region } = input.options;
  return {
    ...(flags.env !== undefined && { environment: flags.env }),
    ...(typeof profile === "string" && { profile }),
    ...(typeof region === "string" && { region }),
  };
}

/** Returns what the command line says of confirmations. Pure. */
export function readGuard({ options }: Input): GuardFlags {
  const { confirm } = options;
  return {
    dryRun: options["dryRun"] === true,
    yes: options["yes"] === true,
    ...(typeof confirm === "string" && { confirm }),
  };
}

/** Throws `usage` for what the parser lets pass and no command takes. Pure. */
export function refuseMisuse(command: Command, input: Input, flags: GlobalFlags): void {
  const next = `see lcops help ${command.name}`;
  if (input.rest !== undefined && command.rest === undefined) {
    throw new OperatorError("usage", `lcops ${command.name} takes nothing behind --`, { next });
  }
  if (input.rest?.length === 0)
    throw new OperatorError("usage", "nothing stands behind --", { next });
  if (flags.config === "")
    throw new OperatorError("usage", "--config needs the path of a file", { next });
}

/** Given what is wrong with a command line and where its help is, tell it and return the exit code; of a command that returns its child's, 255. */
export function refuseCommandLine(
  message: string,
  at: { topic: string; flags: GlobalFlags; returnsChildCode: boolean },
): number {
  const error = explainCommandLine(message, at.topic);
  showError(error, openTerminal(at.flags));
  return exitCodeOfCommand(error, at.returnsChildCode);
}

/** Returns the error of a command line that cannot be parsed, with the place of its help. Pure. */
export function explainCommandLine(message: string, topic: string): OperatorError {
  const next = `see ${["lcops help", topic].join(" ").trim()}`;
  return new OperatorError("usage", message, { next });
}

/** Returns the global flags as words: what was given to the menu holds for what it runs. Pure. */
export function passOn(flags: GlobalFlags): string[] {
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
