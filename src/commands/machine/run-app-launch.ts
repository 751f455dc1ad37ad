import { join } from "node:path";
import type { AppConfig } from "../../config/workstation-schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { findProgram } from "../../system/program.ts";
import { startProgress } from "../../terminal/progress.ts";
import { runApp } from "../../workstation/launch-app.ts";
import type { Context } from "../command.ts";
import { describeLeft } from "./describe-left.ts";
import { locateApp, type Launch } from "./locate-launch.ts";

const DEFAULT_SECONDS = 120;

/** Start the app, say when it is up, print what it says until it ends or is stopped, and return the exit code. */
export async function runAppLaunch(
  launch: Launch<AppConfig>,
  context: Pick<Context, "terminal" | "config" | "signal" | "childEnvironment">,
): Promise<number> {
  const { name, config, mark, makeFolder } = launch;
  const { terminal, signal } = context;
  const { url, run, seconds = DEFAULT_SECONDS } = config;
  const folder = await locateApp(name, config, context);
  const environment = await context.childEnvironment();
  await refuseMissing(name, run[0] ?? "", environment);
  const runFolder = await makeFolder();
  const log = join(runFolder, "output.log");
  const progress = startProgress(terminal);
  progress.update(printable(`waiting for ${url}`));
  const begin = performance.now();
  let left: readonly number[] = [];
  try {
    const code = await runApp({
      run,
      folder,
      url,
      limitMs: seconds * 1_000,
      mark,
      runFolder,
      environment,
      signal,
      take: (line) => {
        progress.end();
        if (terminal.flags.json) terminal.printEvent({ line });
        else terminal.print(printable(line.replaceAll("\t", " ")));
      },
      isLeft: (pids) => {
        left = pids;
        progress.end();
        terminal.warn(describeLeft(name, pids));
      },
      isUp: () => {
        progress.end();
        const took = ((performance.now() - begin) / 1_000).toFixed(1);
        if (terminal.flags.json) terminal.printEvent({ up: url });
        terminal.note(printable(`${name} answers at ${url} after ${took} s; Ctrl-C stops it`));
      },
    });
    if (code === 0) return left.length === 0 ? 0 : 3;
    throw new OperatorError("failed", `${name} ended with ${code}`, {
      next: `what it said is in ${log}`,
    });
  } catch (error) {
    if (signal.aborted && left.length === 0)
      terminal.note(`${name} and what it had started were stopped`);
    throw error;
  } finally {
    progress.end();
  }
}

async function refuseMissing(
  name: string,
  program: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  // A path is seen from the app's own folder.
  if (program.includes("/")) return;
  if ((await findProgram([program], environment["PATH"] ?? "")) !== undefined) return;
  throw new OperatorError("missing", `${name} is run by ${program}, which is not installed`, {
    next: `install it, or say in workstation.launches.${name}.run how it is run`,
  });
}
