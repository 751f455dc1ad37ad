import { OperatorError, type ErrorKind } from "../system/errors.ts";

const CODES: Record<ErrorKind, number> = {
  usage: 2,
  configuration: 2,
  missing: 1,
  access: 1,
  unreachable: 1,
  refused: 5,
  locked: 6,
  cancelled: 130,
  failed: 1,
};

/** Given anything that was thrown, return the exit code that tells of it; `commands/exit-codes.ts` has their meanings. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof StopSignal) return error.exitCode;
  return error instanceof OperatorError ? CODES[error.kind] : 1;
}

/** lcops failed before the child whose exit code it would have returned; as ssh does. */
const BEFORE_CHILD = 255;

/** Returns the exit code of a command that failed: 255 where it would have returned its child's, unless the operator left a question. Pure. */
export function exitCodeOfCommand(error: unknown, returnsChildCode: boolean): number {
  const isCancelled = error instanceof OperatorError && error.kind === "cancelled";
  return returnsChildCode && !isCancelled ? BEFORE_CHILD : exitCodeOf(error);
}

/** The reason with which SIGINT and SIGTERM abort everything. */
export class StopSignal extends Error {
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`stopped by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}
