import { describeError, OperatorError } from "../../system/errors.ts";

/** Given anything that was thrown, return its message and what to do next, for a line that tells of one of several. */
export function describeWithNext(error: unknown): string {
  const next = error instanceof OperatorError ? error.next : undefined;
  return next === undefined ? describeError(error) : `${describeError(error)}; ${next}`;
}
