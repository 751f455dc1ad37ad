import { setMaxListeners } from "node:events";
import { describeWhy } from "./pair.ts";
import { OutOfTime } from "./steer.ts";

/** What was begun in time may be answered for so long: on a link that is well a question takes a quarter of a second. */
const GRACE_MS = 3_000;

/** A signal by which everything that a check awaits ends. */
export interface TimeLimit {
  signal: AbortSignal;
  /** Nothing is to be ended any more. */
  clear(): void;
}

/**
 * Given the signal of a stop, and until when there is time (milliseconds of `performance.now()`; undefined: no limit), return a signal that fires by the stop, and a
 * little after that time: who asks between two questions whether it is over has left by itself before, and what goes on waits for somebody who does not answer.
 */
export function limitTime(stop: AbortSignal, until: number | undefined): TimeLimit {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  // Every connection listens to it.
  setMaxListeners(0, signal);
  const timer =
    until === undefined
      ? undefined
      : setTimeout(
          () => over.abort(new OutOfTime("the time for it is over")),
          Math.max(0, until - performance.now()) + GRACE_MS,
        );
  return { signal, clear: () => clearTimeout(timer) };
}

/** Given what was thrown and the signal, return why something was not looked at: where the signal has fired all else only follows from it. */
export function describeEnd(error: unknown, signal: AbortSignal): string {
  if (!signal.aborted) return describeWhy(error);
  return signal.reason instanceof OutOfTime ? describeWhy(signal.reason) : "it was stopped before";
}
