/** The built program, run in pipes as cron and scripts run it. */
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { startWarm } from "./warm-lcops.ts";
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
  /** All that it has said so far. */
  said: Readonly<{ stdout: string; stderr: string }>;
  /** Resolves when both outputs together match, with that output; rejects when the program ends before, or past the limit. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<string>;
  send(signal: NodeJS.Signals): void;
  ended: Promise<LcopsResult>;
}

const LIMIT_MS = 25_000;

/**
 * Starts a command line of the built program in a warm process, or in one of its own where Node itself reads its input or
 * its variables. It can be sent signals and killed; its words and variables are not those of its process: where that
 * matters, `startProgram` starts one.
 */
export function startLcops(args: readonly string[], options: LcopsOptions): RunningLcops {
  const isNodes = Object.keys(options.environment).some((name) => name.startsWith("NODE_"));
  if (options.stdin !== undefined || isNodes)
    return startProgram(process.execPath, [LCOPS, ...args], options);
  const what = `lcops ${args.join(" ")}`;
  const run = startWarm(args, options.environment);
  return follow(run, { what, limitMs: options.timeoutMs ?? LIMIT_MS });
}

/** Runs a command line of the built program to its end, as `startLcops` does. Rejects only when it does not end. */
export function runLcops(args: readonly string[], options: LcopsOptions): Promise<LcopsResult> {
  return startLcops(args, options).ended;
}

/** Starts a program: one that uses lcops, or that stands in its way, or lcops in a process of its own. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: LcopsOptions,
): RunningLcops {
  const child = spawn(program, args, {
    env: options.environment,
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  const said = { stdout: "", stderr: "" };
  const changed = new EventEmitter<{ said: [] }>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8");
    child[name]?.on("data", (text: string) => {
      said[name] += text;
      changed.emit("said");
    });
  }
  const ended = new Promise<LcopsResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...said }));
  });
  const send = (signal: NodeJS.Signals): void => void child.kill(signal);
  const what = [program, ...args].join(" ");
  return follow(
    { pid: child.pid ?? 0, said, changed, ended, send },
    { what, limitMs: options.timeoutMs ?? LIMIT_MS },
  );
}

/** A program that runs, and what it has said so far; `changed` tells of more. */
export interface Run {
  pid: number;
  said: { stdout: string; stderr: string };
  changed: EventEmitter<{ said: [] }>;
  ended: Promise<LcopsResult>;
  send(signal: NodeJS.Signals): void;
}

/** Takes a run and its limit, past which it is killed; returns it with what tests wait for. */
function follow(run: Run, { what, limitMs }: { what: string; limitMs: number }): RunningLcops {
  const { said, changed } = run;
  const describe = (): string => `${what}\nstdout: ${said.stdout}\nstderr: ${said.stderr}`;
  const ended = new Promise<LcopsResult>((resolve, reject) => {
    const limit = setTimeout(() => {
      run.send("SIGKILL");
      reject(new Error(`not ended within ${limitMs} ms: ${describe()}`));
    }, limitMs);
    run.ended.then(resolve, reject).finally(() => clearTimeout(limit));
  });
  // Who waits for an output must not be surprised by this.
  ended.catch(() => undefined);
  const waitFor: RunningLcops["waitFor"] = (pattern, timeoutMs = 15_000) =>
    new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(limit);
        changed.off("said", watch);
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
      changed.on("said", watch);
      watch();
      const tooLate = (): void => {
        watch();
        finish(() => reject(new Error(`ended without ${pattern}: ${describe()}`)));
      };
      ended.then(tooLate, tooLate);
    });
  return { pid: run.pid, said, ended, send: run.send, waitFor };
}
