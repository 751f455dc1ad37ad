/**
 * What the operator must do about an error; `cli/exit-code-of.ts` maps each kind to an exit code.
 *
 * - `usage`: correct the command line
 * - `configuration`: mend the configuration
 * - `missing`: install a program
 * - `access`: sign in, or be given a permission, a key, a trusted host key
 * - `unreachable`: mend the network or the server, or wait
 * - `refused`: confirm, or settle the conflict that stands in the way
 * - `locked`: wait for the other run
 * - `cancelled`: nothing; the operator left a question
 * - `failed`: read the message; nothing above fits
 */
export type ErrorKind =
  | "usage"
  | "configuration"
  | "missing"
  | "access"
  | "unreachable"
  | "refused"
  | "locked"
  | "cancelled"
  | "failed";

/** An error meant for the operator: what failed, on what, why, and what to do next. Anything else that is thrown is a bug. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly kind: ErrorKind;
  /** What to do next, a sentence without its full stop; absent where nothing can be advised. */
  readonly next: string | undefined;
  /** Further lines, one mistake each, shown under the message. */
  readonly details: readonly string[];

  constructor(
    kind: ErrorKind,
    message: string,
    options: { next?: string; details?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.next = options.next;
    this.details = options.details ?? [];
  }
}

/** Given anything that was thrown, return its message; a system error (`ECONNREFUSED`, …) without Node's decoration. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(describeError))].join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}

/** Given anything that was thrown, return the code of a system error (`ENOENT`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Given anything that was thrown, return its message and its details as one line, where it is told among others. */
export function describeInOneLine(error: unknown): string {
  const details = error instanceof OperatorError ? error.details : [];
  return [describeError(error), ...details].join("; ");
}
