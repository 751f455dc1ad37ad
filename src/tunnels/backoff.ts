const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Given how many tries have failed in a row and a number from 0 to 1, return how long to wait: doubling, half more or less, so that many tunnels do not dial at once. Pure. */
export function backoff(failures: number, chance: number): number {
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.round(wait * (0.5 + chance));
}
