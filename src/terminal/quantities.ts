const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Given a number of bytes, return it for people, in powers of 1000: `1.2 MB`. Pure. */
export function describeBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

const COUNTS = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** Given a number of anything, return it for people: `1.8K`, `0.42`. Pure. */
export const describeCount = (count: number): string => COUNTS.format(count);

/** Given a time span in milliseconds, return it for people, in its largest unit: `12 s`, `3 h`. Pure. */
export function describeAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}
