const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Given bytes, return them for people, three digits at most: `1.2 MB`; 1 KB is 1,024 bytes, as DynamoDB counts. Pure. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
