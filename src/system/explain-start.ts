import { constants } from "node:os";
import { errorCode, OperatorError } from "./errors.ts";

/** Returns the error for a program that is not installed. */
export const missingProgram = (program: string): OperatorError =>
  new OperatorError("missing", `the program ${program} is not installed`, {
    next: "install it, or see lcops doctor",
  });

/** Returns the error for a program that was not started: `missing` where there is none, else `failed`. */
export const explainStart = (program: string, error: Error): OperatorError =>
  errorCode(error) === "ENOENT"
    ? missingProgram(program)
    : new OperatorError("failed", `cannot start ${program}: ${error.message}`, { cause: error });

/** Returns the exit code of a child that has ended, 128 + n when signal n ended it, as shells do. */
export const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  signal ? 128 + constants.signals[signal] : (code ?? 1);
