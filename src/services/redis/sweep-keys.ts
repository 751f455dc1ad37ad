import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import type { RedisClient, Words } from "./connect-redis.ts";
import { explainFailure } from "./explain-failure.ts";
import { RedisFailure, type Reply } from "./reply-reader.ts";
import { FIRST_PACE, nextPace } from "./sweep-pace.ts";
import { measureRoundTrip, type WaitWatch } from "./watch-wait.ts";

export interface Sweep {
  /** A glob as Redis has it: `*`, `?`, `[ab]`, each with a backslash before it for itself. */
  pattern: string;
  /** What is done with the keys that match; absent: they are only looked at. */
  remove?: "UNLINK" | "DEL";
  /** What another client waits; absent: judged by the steps alone. */
  watch?: WaitWatch;
  signal: AbortSignal;
  /** Told of the keys that matched in each step, and so far in all. */
  onStep?: (keys: readonly Buffer[], so: SweepCount) => void;
}

export interface SweepCount {
  /** Answers of SCAN that matched: it may show a key twice while the server's tables grow or shrink. */
  matched: number;
  /** What the server itself counted as removed. */
  removed: number;
}

const REMEMBERED = 16;
/** DEL frees what it removes at once: fewer at a time. */
const LARGEST_OF_DEL = 100;

/**
 * Given a connection and what is wanted, go over all keys of its database by SCAN and return how many there were. A key that is there all the
 * while is met (redis.io, "SCAN"); one that is written meanwhile may be. The server is given room: see `nextPace`. `count` is kept up to date, for
 * a sweep that is cut off. Throws what the server answers, and `unreachable` where the connection is lost.
 */
export async function sweepKeys(
  client: RedisClient,
  sweep: Sweep,
  count: SweepCount = { matched: 0, removed: 0 },
): Promise<SweepCount> {
  const { pattern, remove, watch, signal, onStep } = sweep;
  const roundTripMs = await measureRoundTrip(client);
  const limit = remove === "DEL" ? LARGEST_OF_DEL : Infinity;
  let pace = FIRST_PACE;
  let [cursor, keys]: [string, readonly Buffer[]] = ["0", []];
  let isScanned = false;
  const took: number[] = [];
  while (!isScanned || (remove && keys.length > 0)) {
    const size = String(Math.min(limit, pace.count));
    // In one go: what was found is removed while the next is looked for, for one round trip.
    const commands: Words[] = [
      ...(remove && keys.length > 0 ? [[remove, ...keys] as const] : []),
      ...(isScanned ? [] : [["SCAN", cursor, "MATCH", pattern, "COUNT", size] as const]),
    ];
    const begin = performance.now();
    const replies = await client.sendAll(commands);
    // The shortest of the last: a single one may be late for reasons of this machine.
    took.push(performance.now() - begin);
    if (took.length > REMEMBERED) took.shift();
    // What was removed counts, whatever the other answer is.
    if (commands[0]?.[0] === remove) count.removed += readCount(client, remove, replies.shift());
    keys = [];
    if (!isScanned) {
      const page = readPage(client, replies.shift());
      ({ cursor, keys } = page);
      isScanned = cursor === "0";
      count.matched += keys.length;
      onStep?.(keys, count);
    }
    const usualMs = watch?.usualMs() ?? 0;
    pace = nextPace(pace, {
      stepMs: Math.min(...took),
      roundTripMs,
      waitMs: Math.max(0, usualMs - roundTripMs),
    });
    if (pace.pauseMs >= 0.5) await wait(pace.pauseMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
  return count;
}

function readCount(client: RedisClient, command = "", reply: Reply = null): number {
  if (reply instanceof RedisFailure) throw explainFailure(client.name, reply, command);
  if (typeof reply !== "number") throw strange(client, command);
  return reply;
}

function readPage(client: RedisClient, reply: Reply = null): { cursor: string; keys: Buffer[] } {
  if (reply instanceof RedisFailure) throw explainFailure(client.name, reply, "SCAN");
  const [cursor, keys] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  if (!Buffer.isBuffer(cursor) || !Array.isArray(keys)) throw strange(client, "SCAN");
  return {
    cursor: cursor.toString(),
    keys: (keys as Reply[]).filter((key) => Buffer.isBuffer(key)),
  };
}

function strange({ name }: RedisClient, command: string): OperatorError {
  return new OperatorError("failed", `${name} answers ${command} with something else`);
}
