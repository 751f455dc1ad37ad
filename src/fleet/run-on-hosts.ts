import { join } from "node:path";
import pLimit from "p-limit";
import type { Host } from "../inventory/host.ts";
import { connectHost, type Connection, type ReachOptions } from "../reach/connect-host.ts";
import { describeInOneLine } from "../system/errors.ts";
import { type LoggedOutput, openOutputLog } from "./output-log.ts";
import { paceJumps } from "./pace-jumps.ts";
import { nameHostFile } from "./run-folder.ts";

/**
 * What became of a command on one host. `unknown`: it was begun, and nobody has seen its end; it may be running still. `unreached`: it was
 * not begun. `untried`: the host's turn has not come.
 */
export type HostState = "done" | "failed" | "unknown" | "unreached" | "untried";

export interface HostResult {
  host: string;
  state: HostState;
  /** Of a command that has ended by itself. */
  code?: number;
  /** Of one that a signal has ended. */
  signal?: string;
  /** Why it is not known, or was not begun. */
  why?: string;
  tookMs: number;
  stdout: LoggedOutput | undefined;
  stderr: LoggedOutput | undefined;
}

export interface RunOptions {
  reach: ReachOptions;
  /** How many hosts at the same time. */
  atOnce: number;
  /** Past it a command is left to itself. */
  limitMs: number;
  /** Where the outputs go, a file each. */
  folder: string;
  signal: AbortSignal;
  onBegin?: (host: string) => void;
  /** The next host begins once it is taken. */
  onResult: (result: HostResult) => Promise<void>;
}

/** A host, and what it is called in this run: two machines may have one name. */
export interface NamedHost {
  label: string;
  host: Host;
}

/**
 * Given hosts and a command line for the remote user's shell, run it on all of them without input, so many at once, and return what became of
 * each, in the order of the hosts. A connection that is lost is told from an exit code. Throws nothing but errors of the own disk.
 */
export async function runOnHosts(
  hosts: readonly NamedHost[],
  command: string,
  options: RunOptions,
): Promise<HostResult[]> {
  const limit = pLimit(options.atOnce);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const reach = paceJumps({ ...options.reach, signal });
  const ended = await Promise.allSettled(
    hosts.map((named, index) =>
      limit(async () => {
        try {
          const result = await runOnHost(named, index, command, { ...options, reach, signal });
          await options.onResult(result);
          return result;
        } catch (error) {
          // What cannot be written down is not begun on others.
          stop.abort(error);
          throw error;
        }
      }),
    ),
  );
  return ended.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

async function runOnHost(
  { host, label }: NamedHost,
  index: number,
  command: string,
  options: RunOptions,
): Promise<HostResult> {
  const beganMs = performance.now();
  const end = (result: Omit<HostResult, "host" | "tookMs">): HostResult => ({
    host: label,
    tookMs: Math.round(performance.now() - beganMs),
    ...result,
  });
  const silent = { stdout: undefined, stderr: undefined };
  if (options.signal.aborted) return end({ state: "untried", ...silent });
  options.onBegin?.(label);
  let connection: Connection;
  try {
    connection = await connectHost(host, options.reach);
  } catch (error) {
    if (options.signal.aborted) return end({ state: "untried", ...silent });
    return end({ state: "unreached", why: describeInOneLine(error), ...silent });
  }
  try {
    const file = join(options.folder, nameHostFile(index, label));
    return end(await execute(connection, command, file, options));
  } finally {
    await connection.close();
  }
}

async function execute(
  connection: Connection,
  command: string,
  file: string,
  { limitMs, signal }: RunOptions,
): Promise<Omit<HostResult, "host" | "tookMs">> {
  const stdout = await openOutputLog(`${file}.out`);
  const stderr = await openOutputLog(`${file}.err`);
  const limit = AbortSignal.timeout(limitMs);
  const ended = await connection
    .execute(command, {
      stdout: stdout.sink,
      stderr: stderr.sink,
      signal: AbortSignal.any([signal, limit]),
    })
    .catch((error: unknown) => ({ error }));
  const outputs = { stdout: await stdout.close(), stderr: await stderr.close() };
  if ("error" in ended) {
    const why = signal.aborted
      ? "lcops was stopped while it ran"
      : limit.aborted
        ? `it has not ended within ${Math.round(limitMs / 1000)} s`
        : describeInOneLine(ended.error);
    return { state: "unknown", why, ...outputs };
  }
  return { state: "code" in ended && ended.code === 0 ? "done" : "failed", ...ended, ...outputs };
}
