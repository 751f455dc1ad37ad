/** Programs of the lab: servers, which are started, probed and stopped, and commands, which end by themselves. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { LAB_VARIABLE, processesOfLab } from "./leftovers.ts";
import type { Recorder } from "./leftovers.ts";
import { isAlive, signalProcess, withDescendants } from "./process-table.ts";
import { waitUntilReady } from "./ready.ts";

export type Account = { uid: number; gid: number };

/** What every server needs to know of the lab that starts it. */
export type LabContext = {
  folder: string;
  log: (line: string) => void;
  signal: AbortSignal | undefined;
  recorder: Recorder;
  /** Returns a free port of an address, and never the same twice; the wished one when it is free. */
  pickPort: (address: string, wished?: number) => Promise<number>;
  /** Run at stop, side by side. */
  closers: (() => Promise<void> | void)[];
  /** Logs of the servers that the part which is being started has. */
  logFiles: string[];
};

export type Server = { name: string; pid: number; logFile: string; stop(): Promise<void> };

export type ServerOptions = {
  name: string;
  command: string;
  args: string[];
  environment?: Record<string, string>;
  folder?: string;
  account?: Account | undefined;
  /** Told the process id before the first probe. */
  onSpawn?: (pid: number) => void;
  /** Throws until the server answers. */
  probe: () => Promise<unknown>;
};

const TERM_LIMIT_MS = 5_000;

/** Takes the lab's folder and more variables; returns the environment of its programs: nothing of the user's own. */
function programEnvironment(
  labFolder: string,
  more: Record<string, string> = {},
): Record<string, string> {
  const path_ = `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;
  return {
    PATH: path_,
    HOME: labFolder,
    TMPDIR: labFolder,
    LANG: "C.UTF-8",
    [LAB_VARIABLE]: labFolder,
    ...more,
  };
}

/** Takes a program and its standard streams; starts it and keeps its record for as long as it runs. */
export function spawnRecorded(
  lab: LabContext,
  options: Pick<ServerOptions, "command" | "args" | "environment" | "folder" | "account"> & {
    stdio: StdioOptions;
  },
): ChildProcess {
  const child = spawn(options.command, options.args, {
    cwd: options.folder ?? lab.folder,
    env: programEnvironment(lab.folder, options.environment),
    stdio: options.stdio,
    // Its own process group: Ctrl-C is the lab's to handle.
    detached: true,
    ...options.account,
  });
  const { pid } = child;
  if (pid !== undefined) {
    lab.recorder.add(pid);
    child.once("exit", () => lab.recorder.remove(pid));
  }
  return child;
}

/** Takes a child; ends it and what it started: SIGTERM, then SIGKILL when the limit is over. */
export async function stopProcess(child: ChildProcess, limitMs = TERM_LIMIT_MS): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const family = withDescendants([child.pid]);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  await Promise.race([exited, wait(limitMs, undefined, { ref: false })]);
  for (const identity of family) signalProcess(identity, "SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await exited;
}

/**
 * Takes a server's program and probe; starts it with its output in a log file and waits until it answers,
 * however busy the machine is. Throws when it exits, or stays silent for ten minutes; it is stopped then.
 */
export async function startServer(lab: LabContext, options: ServerOptions): Promise<Server> {
  lab.signal?.throwIfAborted();
  const logFile = path.join(lab.folder, "log", `${options.name}.log`);
  const output = openSync(logFile, "a", 0o600);
  const child = spawnRecorded(lab, { ...options, stdio: ["ignore", output, output] });
  closeSync(output);
  lab.logFiles.push(logFile);
  const stop = () => stopProcess(child);
  lab.closers.push(stop);
  if (child.pid !== undefined) options.onSpawn?.(child.pid);

  const startFailed = new Promise<never>((_resolve, reject) => {
    child.once("error", (error) => reject(error));
    child.once("exit", (code, signal) => reject(new Error(`it ended with ${code ?? signal}`)));
  });
  // It also ends later, at stop, when nobody listens any more.
  startFailed.catch(() => {});
  // The probe must stop once the server has ended.
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...(lab.signal ? [lab.signal] : [])]);
  try {
    await Promise.race([waitUntilReady(options.name, options.probe, { signal }), startFailed]);
  } catch (error) {
    await stop();
    throw new Error(`${options.name}: ${(error as Error).message}`, { cause: error });
  } finally {
    over.abort();
  }
  return { name: options.name, pid: child.pid ?? 0, logFile, stop };
}

/** Takes a command; returns its output. Throws with the end of what it said when it fails. */
export async function runCommand(
  lab: Pick<LabContext, "folder" | "signal">,
  command: string,
  args: string[],
  options: {
    environment?: Record<string, string>;
    folder?: string;
    account?: Account | undefined;
    input?: string;
  } = {},
): Promise<string> {
  const running = promisify(execFile)(command, args, {
    cwd: options.folder ?? lab.folder,
    env: programEnvironment(lab.folder, options.environment),
    maxBuffer: 64 * 1024 * 1024,
    signal: lab.signal,
    ...options.account,
  });
  running.child.stdin?.on("error", () => {});
  running.child.stdin?.end(options.input ?? "");
  try {
    return (await running).stdout;
  } catch (error) {
    lab.signal?.throwIfAborted();
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(`lab: ${command} failed: ${said || (error as Error).message}`, {
      cause: error,
    });
  }
}

/** Takes the lab; ends what its servers and the sessions on its hosts have left running. */
export async function killRemaining(lab: LabContext): Promise<void> {
  const left = processesOfLab(lab.folder, []);
  for (const identity of left) signalProcess(identity, "SIGKILL");
  const end = performance.now() + TERM_LIMIT_MS;
  while (left.some(isAlive) && performance.now() < end) await wait(20);
}

/** Takes a user's name; returns its ids as root would drop to them. Throws when the user is unknown. */
export async function findAccount(lab: LabContext, user: string): Promise<Account> {
  const [uid, gid] = await Promise.all([
    runCommand(lab, "id", ["-u", user]),
    runCommand(lab, "id", ["-g", user]),
  ]);
  return { uid: Number(uid), gid: Number(gid) };
}
