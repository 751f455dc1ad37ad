import { errorCode } from "../system/errors.ts";

const gone = new AbortController();
let lost: unknown;

/** Aborted, with the error, once stdout has no reader or cannot be written: what has no end of its own ends by it. */
export const outputGone: AbortSignal = gone.signal;

/**
 * Have errors of stdout and stderr end nothing that has an end: what was begun is done to it, and its exit code is true, whoever no
 * longer reads (`| head`) and though the disk is full. Output that is lost is said once, and is no success.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (stream === process.stdout) gone.abort(error);
      if (["EPIPE", "ERR_STREAM_DESTROYED"].includes(errorCode(error) ?? "") || lost) return;
      lost = error;
      process.once("exit", (code) => {
        process.exitCode = code || 1;
      });
      if (stream === process.stdout)
        process.stderr.write(`lcops: cannot write the output: ${error.message}\n`);
    });
  }
}

/** Given an error, return the exit code where it is of the output itself: 0 where whoever read stdout has seen enough, 1 where some was lost, which is said already; else undefined. */
export function exitCodeOfOutput(error: unknown): 0 | 1 | undefined {
  if (error !== undefined && error === lost) return 1;
  return outputGone.aborted && errorCode(error) === "EPIPE" ? 0 : undefined;
}
