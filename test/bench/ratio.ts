/** One measured figure beside its peer's, from the same interleaved rounds; smaller is better. */
export interface Ratio {
  what: string;
  /** Median of ours by median of the peer's. */
  value: number;
  /** The most that it may be. */
  bar: number;
  /** Present: `value` is a figure of its own in this unit, and its peer is the bar alone. */
  unit?: "MB";
  /** Of the two sides, where it is not milliseconds. */
  sides?: "MB";
  rounds: number;
  ours: Spread;
  peer: Spread;
}

/** Milliseconds, or the unit of the ratio: the median, and the quartiles as its spread. */
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

/** Given a ratio, return its line. */
export function formatRatio(ratio: Ratio): string {
  const show = ({ median, low, high }: Spread): string =>
    `${median.toFixed(1)} ${ratio.sides ?? "ms"} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  const verdict = ratio.value <= ratio.bar ? "met   " : "MISSED";
  if (ratio.unit !== undefined) {
    const { median, low, high } = ratio.ours;
    return `${verdict} ${ratio.what}: ${median.toFixed(1)} ${ratio.unit} (${low.toFixed(1)} to ${high.toFixed(1)}), bar ${ratio.bar} ${ratio.unit}; ${ratio.rounds} rounds`;
  }
  return `${verdict} ${ratio.what}: ${ratio.value.toFixed(2)} x, bar ${Number(ratio.bar.toFixed(3))} x; ${show(ratio.ours)} beside ${show(ratio.peer)}, ${ratio.rounds} rounds`;
}
