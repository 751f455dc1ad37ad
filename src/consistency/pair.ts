import { describeError, OperatorError } from "../system/errors.ts";
import type { Reader } from "../services/mysql/open-reader.ts";
import type { CatchUp } from "../services/mysql/read-replication.ts";

/** Two servers that are to hold the same. */
export interface Pair {
  /** For people: `school`, `school-replica`. */
  names: readonly [string, string];
  first: Reader;
  second: Reader;
  /** Databases by their names on both sides. */
  databases: readonly (readonly [string, string])[];
  /** Undefined: the second does not follow the first, or nobody can say how far it is. */
  catchUp: CatchUp | undefined;
  /** Milliseconds: so long a difference must last where `catchUp` is not there to tell what only has not arrived yet. */
  patienceMs: number;
}

/** A replica that is further behind than this cannot be told from one that has lost rows, where nobody can say how far it is. */
const MOST_PATIENCE_S = 60;

/** Given what waits for the second side and how many seconds it may be behind, return the patience that is needed without. Pure. */
export function patienceFor(catchUp: CatchUp | undefined, maxLagSeconds: number): number {
  return catchUp ? 0 : 1000 * Math.min(maxLagSeconds, MOST_PATIENCE_S);
}

/** Given what was thrown, return why something could not be looked at, and what to do about it. */
export function describeWhy(error: unknown): string {
  const next = error instanceof OperatorError && error.next !== undefined ? `; ${error.next}` : "";
  return describeError(error) + next;
}
