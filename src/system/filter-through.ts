import { execa } from "execa";
import { errorCode, OperatorError } from "./errors.ts";

/**
 * Given a program and its arguments, give it bytes as its input and return those of its output. Throws `missing` where there is no
 * such program, `failed` with its words where it ends with another code than 0, and the signal's reason when it is aborted.
 */
export async function filterThrough(
  program: string,
  args: readonly string[],
  input: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  const result = await execa(program, args, {
    input,
    encoding: "buffer",
    reject: false,
    maxBuffer: 2 ** 30,
    stripFinalNewline: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  refuseFailure(program, result);
  return Buffer.from(result.stdout);
}

/**
 * Given a program and its arguments, return its output as it comes. Throws `missing` where there is no such program, and `failed` with
 * its words at the end where it ends with another code than 0.
 */
export async function* readOutput(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const child = execa(program, args, {
    stdin: "ignore",
    encoding: "buffer",
    reject: false,
    buffer: { stdout: false, stderr: true },
    cancelSignal: signal,
  });
  yield* child.stdout as AsyncIterable<Buffer>;
  const result = await child;
  signal.throwIfAborted();
  refuseFailure(program, result);
}

function refuseFailure(
  program: string,
  result: { exitCode?: number | undefined; stderr: Uint8Array; cause?: unknown },
): void {
  if (errorCode(result) === "ENOENT" || errorCode(result.cause) === "ENOENT") {
    throw new OperatorError("missing", `the program ${program} is not installed`, {
      next: "install it, or name the file otherwise, e.g. with .gz",
    });
  }
  if (result.exitCode !== 0)
    throw new OperatorError(
      "failed",
      `${program}: ${Buffer.from(result.stderr).toString().trim()}`,
    );
}
