/** The built program, run in pipes as cron and scripts run it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { runWarm } from "./warm-lcops.ts";
import { LCOPS } from "./program.ts";

export interface LcopsResult {
  /** Null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface LcopsOptions {
  /** All variables that it gets. */
  environment: NodeJS.ProcessEnv;
  /** Absent: /dev/null. */
  stdin?: string;
  /** Past it the program is killed and the run has failed. */
  timeoutMs?: number;
}

export interface RunningLcops {
  pid: number;
  child: ChildProcess;
  /** Resolves when both outputs together match, with that output; rejects when the program ends before, or past the limit. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<string>;
  send(signal: NodeJS.Signals): void;
  ended: Promise<LcopsResult>;
}

/** Given a command line, start the program and return it running. It is killed when the limit is over. */
export function startLcops(args: readonly string[], options: LcopsOptions): RunningLcops {
  return startProgram(process.execPath, [LCOPS, ...args], options);
}

/** The same for any program: one that uses lcops, or that stands in its way. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: LcopsOptions,
): RunningLcops {
  const limitMs = options.timeoutMs ?? 25_000;
  const child = spawn(program, args, {
    env: options.environment,
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8");
    child[name]?.on("data", (text: string) => {
      said[name] += text;
      for (const watch of watchers) watch();
    });
  }
  child.stdin?.on("error", () => {});
  if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  const describe = (): string =>
    `${[program, ...args].join(" ")}\nstdout: ${said.stdout}\nstderr: ${said.stderr}`;

  const ended = new Promise<LcopsResult>((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`not ended within ${limitMs} ms: ${describe()}`));
    }, limitMs);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      resolve({ code, signal, ...said });
    });
  });
  // Who waits for an output must not be surprised by this.
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    child,
    ended,
    send: (signal) => void child.kill(signal),
    waitFor: (pattern, timeoutMs = 15_000) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void): void => {
          clearTimeout(limit);
          watchers.delete(watch);
          act();
        };
        const limit = setTimeout(
          () =>
            finish(() => reject(new Error(`${pattern} not within ${timeoutMs} ms: ${describe()}`))),
          timeoutMs,
        );
        const watch = (): void => {
          if (pattern.test(said.stdout + said.stderr))
            finish(() => resolve(said.stdout + said.stderr));
        };
        watchers.add(watch);
        watch();
        const tooLate = (): void => {
          watch();
          finish(() => reject(new Error(`ended without ${pattern}: ${describe()}`)));
        };
        ended.then(tooLate, tooLate);
      }),
  };
}

/**
 * Runs a command line of the built program to its end, in a warm process. Only what belongs to a process of its own, its input
 * and what Node reads from variables at its start, gets one: `startLcops` is for tests of the process itself.
 * Rejects only when it does not end.
 */
export function runLcops(args: readonly string[], options: LcopsOptions): Promise<LcopsResult> {
  const isNodes = Object.keys(options.environment).some((name) => name.startsWith("NODE_"));
  const isWarm = options.stdin === undefined && !isNodes;
  return isWarm ? runWarm(args, options) : startLcops(args, options).ended;
}
