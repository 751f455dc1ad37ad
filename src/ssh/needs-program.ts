import { OperatorError } from "../system/errors.ts";

/** What lcops cannot do itself and the `ssh` program can; where that is not there either, an error as any other. */
export class NeedsProgramError extends OperatorError {
  /** Ends "through the ssh program, because …". */
  readonly because: string;

  constructor(because: string, error: OperatorError) {
    super(error.kind, error.message, {
      details: error.details,
      next: `${error.next ?? "try again"}; or have the ssh program installed, because ${because}`,
      cause: error,
    });
    this.because = because;
  }
}
