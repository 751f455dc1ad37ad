import { describeError, OperatorError } from "../system/errors.ts";
import type { Reader } from "../services/mysql/open-reader.ts";

/** Two servers that are to hold the same. */
export interface Pair {
  /** For people: `school`, `school-replica`. */
  names: readonly [string, string];
  first: Reader;
  second: Reader;
  /** Databases by their names on both sides. */
  databases: readonly (readonly [string, string])[];
  /** Waits until the second has what the first has now, and returns whether it came to that; undefined: the one does not follow the other. */
  catchUp: ((limitSeconds: number) => Promise<boolean>) | undefined;
}

/** Given what was thrown, return why something could not be looked at, and what to do about it. */
export function describeWhy(error: unknown): string {
  const next = error instanceof OperatorError && error.next !== undefined ? `; ${error.next}` : "";
  return describeError(error) + next;
}
