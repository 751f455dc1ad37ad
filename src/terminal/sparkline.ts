const BARS = "▁▂▃▄▅▆▇█";

/** Given numbers, return them as a line of bars, the largest one full; nothing where there is none. Pure. */
export function drawSparkline(values: readonly number[]): string {
  const largest = Math.max(...values, 1);
  return values
    .map(
      (value) =>
        BARS[Math.min(BARS.length - 1, Math.floor((value / largest) * (BARS.length - 0.001)))],
    )
    .join("");
}
