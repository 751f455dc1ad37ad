import { setTimeout as wait } from "node:timers/promises";
import type { Reader } from "../services/mysql/open-reader.ts";
import { type CatchUp, countRunning } from "../services/mysql/read-replication.ts";
import { OperatorError } from "../system/errors.ts";
import { countOf } from "../system/quantities.ts";

/** Time is over, or the servers have other things to do: what is left is left out, and said to be. */
export class OutOfTime extends OperatorError {
  constructor(why: string) {
    super("failed", why, { next: "go on with --resume" });
  }
}

export interface SteerOptions {
  signal: AbortSignal;
  /** Milliseconds of `performance.now()`; undefined: no limit. */
  until: number | undefined;
  /** More threads than so many at work on either side: we wait. */
  maxRunning: number;
  maxLagSeconds: number;
}

/** Keeps out of the way of those for whom the servers are there. */
export interface Steer {
  signal: AbortSignal;
  maxLagSeconds: number;
  /** Throws `OutOfTime` where there is no more time, and the reason of a stop. */
  stopWhenOver(): void;
  /** Between two questions: waits while a server is busy or the replica is behind. Throws `OutOfTime` where there is no more time. */
  giveWay(): Promise<void>;
  /** Given how long a question took and how many rows it read, return how many the next one is to read. */
  nextSize(rows: number, bytes: number, tookMs: number): number;
}

const LOOK_EVERY_MS = 1_000;
/** A question is to take no longer; shorter ones give more often way. */
const QUESTION_MS = 250;
const QUESTION_BYTES = 4 * 1024 * 1024;
const FIRST_ROWS = 1_000;
/** Of all the time. A server that is busy all day is not waited for for ever. */
const BUSY_LIMIT_MS = 15 * 60_000;

/** Given what limits there are and what watches, return the steering of one check. */
export function makeSteer(
  readers: () => readonly Reader[],
  catchUp: CatchUp | undefined,
  options: SteerOptions,
): Steer {
  let lookedAt = performance.now();
  let size = FIRST_ROWS;
  let busyMs = 0;
  const findBusy = async (): Promise<string | undefined> => {
    for (const reader of readers()) {
      const running = await countRunning(reader);
      // One look can hit a moment: what stays is what counts.
      if (running > options.maxRunning && (await countRunning(reader)) > options.maxRunning)
        return `${countOf(running, "thread is", "threads are")} at work`;
    }
    if (catchUp && !(await catchUp(options.maxLagSeconds)))
      return `the replica is more than ${options.maxLagSeconds} s behind`;
    return undefined;
  };
  const stopWhenOver = (): void => {
    options.signal.throwIfAborted();
    if (options.until !== undefined && performance.now() > options.until)
      throw new OutOfTime("the time for it is over");
  };
  return {
    signal: options.signal,
    maxLagSeconds: options.maxLagSeconds,
    stopWhenOver,
    giveWay: async () => {
      stopWhenOver();
      if (performance.now() - lookedAt < LOOK_EVERY_MS) return;
      for (;;) {
        const began = performance.now();
        const why = await findBusy();
        lookedAt = performance.now();
        if (why === undefined) return;
        await wait(LOOK_EVERY_MS, undefined, { signal: options.signal });
        busyMs += performance.now() - began;
        stopWhenOver();
        if (busyMs > BUSY_LIMIT_MS) throw new OutOfTime(`it was waited for too long: ${why}`);
      }
    },
    nextSize: (rows, bytes, tookMs) => {
      // No question tells much: they are averaged, and the size at most doubles.
      const byTime = rows > 0 ? (rows * QUESTION_MS) / Math.max(1, tookMs) : size * 2;
      const byBytes = bytes > 0 ? (rows * QUESTION_BYTES) / bytes : size * 2;
      const wanted = Math.min(byTime, byBytes, size * 2);
      size = Math.max(1, Math.round(size < wanted ? wanted : (size + wanted) / 2));
      return size;
    },
  };
}
