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
  /** What another client waits for its answer meanwhile, beyond the way. */
  waitMs: number;
}

/** A thousand keys take a server a millisecond or two. Where each step costs a long way, they are larger. */
const [LARGEST, LARGEST_FAR, FAR_MS] = [2_000, 5_000, 20];
/** A smaller one would be no less of a burden: what others wait for is then something else. */
const SMALLEST = 500;
/** Others should not wait longer than that; they may once in a while, since a machine has other things to do as well. */
const [EASY_MS, LONG_MS] = [5, 20];
const LONGEST_PAUSE_MS = 100;

/** How a sweep begins. */
export const FIRST_PACE: SweepPace = { count: SMALLEST, pauseMs: 0 };

/**
 * Given the pace and what was seen, return that of the next step: the server has half as much time for others alone as the step took of it, steps grow
 * while nobody waits, and are halved, with a pause twice as long, where somebody does. Pure.
 */
export function nextPace({ count }: SweepPace, seen: StepSeen): SweepPace {
  const { stepMs, roundTripMs, waitMs } = seen;
  const busyMs = Math.max(0, stepMs - roundTripMs);
  const isCrowded = waitMs > LONG_MS || busyMs > LONG_MS;
  const isEasy = waitMs < EASY_MS && busyMs < EASY_MS;
  const grown = isCrowded ? count / 2 : isEasy ? count * 2 : count;
  return {
    count: Math.round(Math.min(largestStep(roundTripMs), Math.max(SMALLEST, grown))),
    pauseMs: Math.min(LONGEST_PAUSE_MS, Math.max(busyMs / 2, isCrowded ? 2 * waitMs : 0)),
  };
}

function largestStep(roundTripMs: number): number {
  return roundTripMs > FAR_MS ? LARGEST_FAR : LARGEST;
}
