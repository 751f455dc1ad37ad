/** What a disk had in use, and when (Unix milliseconds); oldest first. */
export type DiskSample = readonly [atMs: number, usedBytes: number];

const DAY_MS = 86_400_000;
/** Less says more of a day's work than of growth. */
export const SHORTEST_SPAN_MS = 2 * DAY_MS;
const FEWEST_SAMPLES = 4;
/** Further away it is no news, and no truth. */
const FURTHEST_MS = 5 * 365 * DAY_MS;

/** How much of what was seen the line must explain (its coefficient of determination): with less it rises and falls rather than grows. */
const CLEAREST_MISS = 0.2;

/**
 * Given what a disk had in use and what it holds, return when it is full if it goes on like that. The method: the line of least squares through all
 * samples; its slope from what is in use now on is the day. Undefined where that is no clear trend upwards: fewer than four samples or two days, no
 * growth, a line that explains less than 80 % of what was seen (r²), or a day in years. Pure.
 */
export function predictFull(
  samples: readonly DiskSample[],
  totalBytes: number,
  nowMs: number,
): Date | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || samples.length < FEWEST_SAMPLES) return undefined;
  if (last[0] - first[0] < SHORTEST_SPAN_MS) return undefined;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  // From the first one on: squares of milliseconds since 1970 lose their last digits.
  const times = samples.map(([atMs]) => atMs - first[0]);
  const [meanTime, meanUsed] = [mean(times), mean(samples.map(([, used]) => used))];
  const spread = times.reduce((sum, time) => sum + (time - meanTime) ** 2, 0);
  const shared = samples.reduce(
    (sum, [, used], index) => sum + ((times[index] ?? 0) - meanTime) * (used - meanUsed),
    0,
  );
  const bytesPerMs = shared / spread;
  if (!(bytesPerMs > 0)) return undefined;
  const scatter = samples.reduce((sum, [, used]) => sum + (used - meanUsed) ** 2, 0);
  if (1 - shared ** 2 / (spread * scatter) > CLEAREST_MISS) return undefined;
  const leftMs = Math.max(0, (totalBytes - last[1]) / bytesPerMs);
  return leftMs > FURTHEST_MS ? undefined : new Date(Math.max(nowMs, last[0]) + leftMs);
}
