import { errorCode } from "../system/errors.ts";

let isUnread = false;

/**
 * Have errors of stdout and stderr end nothing: what was begun is done to its end, and its exit code is true, whoever no
 * longer reads (`| head`) and though the disk is full. Output that is lost is said once, and is no success.
 */
export function watchOutput(): void {
  let isLost = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (errorCode(error) === "EPIPE") isUnread ||= stream === process.stdout;
      else if (errorCode(error) !== "ERR_STREAM_DESTROYED" && !isLost) {
        isLost = true;
        process.once("exit", (code) => {
          process.exitCode = code || 1;
        });
        if (stream === process.stdout)
          process.stderr.write(`lcops: cannot write the output: ${error.message}\n`);
      }
    });
  }
}

/** Return whether an error says that nobody reads stdout any more: whoever did has seen enough, a quiet end. */
export const isForNobody = (error: unknown): boolean => isUnread && errorCode(error) === "EPIPE";
