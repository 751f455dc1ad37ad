/** How many pages of a scan are asked for at once: more as long as more come of it, half as many after a throttle. */
export interface ScanPace {
  atOnce(): number;
  /** Tell that a page has come. */
  onPage(bytes: number): void;
  onThrottle(): void;
  /** Since when nothing has come. */
  idleMs(): number;
}

const [FIRST_AT_ONCE, MOST_AT_ONCE] = [4, 16];
const PERIOD_MS = 1_000;
/** What one more must bring, and for how many periods it is not tried again where it does not. */
const GAIN = 1.05;
const REST_PERIODS = 10;
/**
 * At first it is doubled, as TCP does (slow start, RFC 5681), while that brings at least so much more; not by the very first period, in which
 * connections are made and code is compiled.
 */
const START_PERIOD_MS = 250;
const START_GAIN = 1.5;
/** What twice as much must bring to be kept, though it is not doubled again. */
const KEPT_GAIN = 1.15;

/** A process that is so busy has no use for more; nor for twice as much, where all that it can do yet is less than that must bring. */
const BUSY = 0.85;
const BUSY_AT_START = 1 / START_GAIN;

/** Given a clock, and what says which share of the time since it was last asked this process was busy, return the pace of one scan. */
export function makeScanPace(
  now: () => number = () => performance.now(),
  busyShare: () => number = watchLoop(),
): ScanPace {
  let atOnce = FIRST_AT_ONCE;
  let isStarting = true;
  let isWarm = false;
  let lastPageAt = now();
  let period = { beganAt: now(), bytes: 0 };
  /** How many there were before a growth that is yet to prove itself, and bytes by the millisecond then. */
  let before: { atOnce: number; rate: number } | undefined;
  let rest = 0;
  const endPeriod = (): void => {
    const rate = period.bytes / (now() - period.beganAt);
    period = { beganAt: now(), bytes: 0 };
    const share = busyShare();
    if (!isWarm) {
      isWarm = true;
      return;
    }
    if (before === undefined && share > BUSY_AT_START) isStarting = false;
    const gain = before === undefined ? Number.POSITIVE_INFINITY : rate / before.rate;
    if (before !== undefined && gain < (isStarting ? KEPT_GAIN : GAIN)) {
      atOnce = before.atOnce;
      before = undefined;
      isStarting = false;
      rest = REST_PERIODS;
      return;
    }
    // It has proven itself: what comes slower later has other reasons.
    before = undefined;
    if (gain < START_GAIN) isStarting = false;
    if (rest > 0) rest--;
    else if (atOnce < MOST_AT_ONCE && share <= BUSY) {
      before = { atOnce, rate };
      atOnce = isStarting ? Math.min(MOST_AT_ONCE, atOnce * 2) : atOnce + 1;
    }
  };
  return {
    atOnce: () => atOnce,
    idleMs: () => now() - lastPageAt,
    onPage: (bytes) => {
      lastPageAt = now();
      period.bytes += bytes;
      if (lastPageAt - period.beganAt >= (isStarting ? START_PERIOD_MS : PERIOD_MS)) endPeriod();
    },
    onThrottle: () => {
      atOnce = Math.max(1, Math.floor(atOnce / 2));
      isStarting = false;
      period = { beganAt: now(), bytes: 0 };
      before = undefined;
    },
  };
}

function watchLoop(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const { utilization } = performance.eventLoopUtilization(last);
    last = performance.eventLoopUtilization();
    return utilization;
  };
}
