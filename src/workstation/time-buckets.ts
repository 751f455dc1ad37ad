/** Below it a bucket holds one millisecond, above it a part in so many of its power of two. */
const FINE = 64;

/**
 * Times in milliseconds, counted so that percentiles can be told, and memory does not grow with their number: up to 127 ms each is counted by itself, above
 * that no bucket is wider than 1/64 of what is in it.
 */
export class TimeBuckets {
  readonly #counts: number[] = [];
  count = 0;
  largestMs = 0;
  #sumMs = 0;

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count++;
    this.#sumMs += ms;
    this.largestMs = Math.max(this.largestMs, ms);
  }

  /** Given a part of 1, return the time within which that part of all has ended (nearest rank, rounded up to its bucket); 0 where there is none. */
  percentileMs(part: number): number {
    const wanted = Math.max(1, Math.ceil(part * this.count));
    let seen = 0;
    for (const [bucket, count = 0] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(lastOf(bucket), this.largestMs);
    }
    return 0;
  }

  meanMs(): number {
    return this.count === 0 ? 0 : Math.round(this.#sumMs / this.count);
  }
}

function bucketOf(ms: number): number {
  const whole = Math.max(0, Math.round(ms));
  const power = Math.max(0, Math.floor(Math.log2(Math.max(1, whole) / FINE)));
  return power * FINE + Math.floor(whole / 2 ** power);
}

/** The largest time in a bucket. */
function lastOf(bucket: number): number {
  const power = Math.max(0, Math.floor(bucket / FINE) - 1);
  return (bucket - power * FINE + 1) * 2 ** power - 1;
}
