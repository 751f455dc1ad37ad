const BARS = "▁▂▃▄▅▆▇█";

/** Given numbers, return them as a line of bars, the largest one full, and a gap for each one that is missing; nothing where there is none. Pure. */
export function drawSparkline(values: readonly (number | null)[]): string {
  const largest = Math.max(...values.map((value) => value ?? 0), 1);
  return values
    .map((value) =>
      value === null
        ? " "
        : BARS[
            Math.min(
              BARS.length - 1,
              Math.floor((Math.max(0, value) / largest) * (BARS.length - 0.001)),
            )
          ],
    )
    .join("");
}
