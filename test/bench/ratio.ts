/** One measured figure beside its peer's, from the same interleaved rounds; smaller is better, unless it is a speed. */
export interface Ratio {
  what: string;
  /** Median of ours by median of the peer's. */
  value: number;
  /** The most that it may be; of a speed the least. */
  bar: number;
  /** Present: the spreads are in MB/s. */
  of?: "speed";
  /** Present: `value` is a figure of its own in this unit, and its peer is the bar alone. */
  unit?: "MB" | "ms";
  /** Of the two sides, where it is not milliseconds. */
  sides?: "MB";
  rounds: number;
  ours: Spread;
  peer: Spread;
}

/** Milliseconds, MB/s, or the unit of the ratio: the median, and the quartiles as its spread. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Given samples, return their median and quartiles. */
export function measureSpread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (share: number): number =>
    sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Given a ratio, return whether its bar is met. */
export function isMet({ value, bar, of }: Ratio): boolean {
  return of === "speed" ? value >= bar : value <= bar;
}

/** Given a ratio, return its line. */
export function formatRatio(ratio: Ratio): string {
  const unit = ratio.unit ?? ratio.sides ?? (ratio.of === "speed" ? "MB/s" : "ms");
  const digits = (value: number): string => value.toFixed(Math.abs(value) < 1 ? 2 : 1);
  const show = ({ median, low, high }: Spread): string =>
    `${digits(median)} ${unit} (${digits(low)} to ${digits(high)})`;
  const verdict = isMet(ratio) ? "met   " : "MISSED";
  if (ratio.unit !== undefined)
    return `${verdict} ${ratio.what}: ${digits(ratio.value)} ${unit}, bar ${ratio.bar} ${unit}; median ${show(ratio.ours)}, ${ratio.rounds} rounds`;
  return `${verdict} ${ratio.what}: ${ratio.value.toFixed(2)} x, bar ${Number(ratio.bar.toFixed(3))} x; ${show(ratio.ours)} beside ${show(ratio.peer)}, ${ratio.rounds} rounds`;
}
