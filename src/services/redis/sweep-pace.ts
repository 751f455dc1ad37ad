/** How a sweep goes over the keys: so many in one step, then a pause. */
export interface SweepPace {
  /** COUNT of SCAN. */
  count: number;
  pauseMs: number;
}

/** What was seen of the last step. */
export interface StepSeen {
  /** What it took, the way to the server included. */
  stepMs: number;
  /** What the way alone takes, there and back. */
  roundTripMs: number;
  /** The longest that another client has waited for its answer meanwhile, beyond the way. */
  waitMs: number;
}

const SMALLEST = 10;
/** Where each step costs a long way, a larger one: a thousand keys take a server a millisecond. */
const [LARGEST, LARGEST_FAR, FAR_MS] = [1_000, 5_000, 20];
/** Others should not wait longer than that; they may once in a while, since a machine has other things to do as well. */
const [EASY_MS, LONG_MS] = [4, 12];
const LONGEST_PAUSE_MS = 500;

/** Given the way to the server, return how a sweep begins. Pure. */
export function beginPace(roundTripMs: number): SweepPace {
  return { count: largestStep(roundTripMs) / 4, pauseMs: 0 };
}

/**
 * Given the pace and what was seen, return that of the next step: the server has as much time for others as the step took of it, steps grow
 * while nobody waits, and are halved, with a pause many times as long, where somebody does. Pure.
 */
export function nextPace({ count }: SweepPace, seen: StepSeen): SweepPace {
  const { stepMs, roundTripMs, waitMs } = seen;
  const busyMs = Math.max(0, stepMs - roundTripMs);
  const isCrowded = waitMs > LONG_MS || busyMs > LONG_MS;
  const isEasy = waitMs < EASY_MS && busyMs < EASY_MS;
  const grown = isCrowded ? count / 2 : isEasy ? count * 1.5 : count;
  return {
    count: Math.round(Math.min(largestStep(roundTripMs), Math.max(SMALLEST, grown))),
    pauseMs: Math.min(LONGEST_PAUSE_MS, Math.max(busyMs, isCrowded ? 5 * waitMs : 0)),
  };
}

function largestStep(roundTripMs: number): number {
  return roundTripMs > FAR_MS ? LARGEST_FAR : LARGEST;
}
