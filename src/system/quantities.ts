const UNITS = { 1000: ["B", "kB", "MB", "GB", "TB"], 1024: ["B", "KB", "MB", "GB", "TB"] };

/**
 * Returns a number of bytes for people, with three digits at most: `1.2 MB`. A kB has 1,000 bytes. With `base` 1024 a KB has
 * 1,024, as DynamoDB and the size of a memory count.
 */
export function describeBytes(bytes: number, base: 1000 | 1024 = 1000): string {
  const units = UNITS[base];
  let [value, power] = [bytes, 0];
  while (value >= 1000 && power < units.length - 1) {
    value /= base;
    power++;
  }
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Returns bytes in whole MB, for two that a message compares: no unit changes between them. */
export function describeMegabytes(
  bytes: number,
  {
    base = 1000,
    round = Math.ceil,
  }: { base?: 1000 | 1024; round?: (value: number) => number } = {},
): string {
  return `${round(bytes / base ** 2)} MB`;
}

/** Returns the word for a number of things: `row` for 1, `rows` for any other. `many` is an irregular plural. */
export const pluralOf = (count: number, one: string, many = `${one}s`): string =>
  count === 1 ? one : many;

/** Returns a number with what it counts: `1 package`, `2 packages`, `3 indices`. */
export const countOf = (count: number, one: string, many?: string): string =>
  `${count} ${pluralOf(count, one, many)}`;

/** Made for the first count: to load the words of a language takes 10 ms, and most commands count nothing so. */
let counts: Intl.NumberFormat | undefined;

/** Returns a number of anything for people: `1.8K`, `0.42`. */
export function describeCount(count: number): string {
  counts ??= new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  return counts.format(count);
}

/** Returns a time span in milliseconds for people, in its largest unit: `12 s`, `3 h`. */
export function describeAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}
