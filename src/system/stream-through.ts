import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { OperatorError } from "./errors.ts";
import { exitCodeOf, explainStart } from "./explain-start.ts";

export interface StreamOptions {
  signal: AbortSignal;
  /** All that the program gets of variables; absent: those of lcops. */
  environment?: NodeJS.ProcessEnv;
  /** Descriptors that it gets as its descriptors 3, 4, …. */
  files?: readonly number[];
  /** Given what it said on stderr and its exit code, whether that is a failure; absent: any code but 0. */
  isFailure?: (code: number, stderr: string) => boolean;
  /** Told of its process id. */
  started?: (pid: number) => void;
}

/** What is kept of what a program says on stderr. */
const LONGEST_STDERR = 4 * 1024 * 1024;

/**
 * Given a program, its arguments and what it reads (nothing where absent), run it without a shell and return what it writes, as it comes.
 * The iteration throws at its end where the program ended badly, so that half of an output never passes for all of it; it throws what
 * `input` throws; and whoever leaves it early has the program killed. Throws `missing`, `failed` with the program's words, and the signal's reason.
 */
export async function* streamThrough(
  program: string,
  args: readonly string[],
  input: AsyncIterable<Uint8Array> | undefined,
  options: StreamOptions,
): AsyncGenerator<Buffer, void> {
  options.signal.throwIfAborted();
  const child = spawn(program, args, {
    stdio: [input ? "pipe" : "ignore", "pipe", "pipe", ...(options.files ?? [])],
    env: options.environment,
  });
  const stdout = child.stdout as Readable;
  let said = "";
  (child.stderr as Readable).setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-LONGEST_STDERR);
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; error?: Error }>(
    (resolve) => {
      child.once("error", (error) => resolve({ code: null, signal: null, error }));
      child.once("close", (code, signal) => resolve({ code, signal }));
    },
  );
  if (child.pid !== undefined) options.started?.(child.pid);
  const stop = (): void => void child.kill("SIGKILL");
  options.signal.addEventListener("abort", stop);
  let isFed = false;
  let failure: unknown;
  // A program that was not started leaves its input as it is.
  const feeding =
    input && child.pid !== undefined
      ? feed(input, child.stdin as Writable).then(
          (isWhole) => void (isFed = isWhole),
          (error: unknown) => {
            failure = error ?? new Error("its input failed");
            stop();
          },
        )
      : Promise.resolve();
  try {
    yield* stdout as AsyncIterable<Buffer>;
    const result = await ended;
    await feeding;
    options.signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    if (result.error) throw explainStart(program, result.error);
    const code = exitCodeOf(result.code, result.signal);
    const isFailure = options.isFailure ?? ((given: number) => given !== 0);
    if (isFailure(code, said)) {
      const words = said.trim().split("\n").slice(-3).join("; ");
      const how = result.signal ? `was ended by ${result.signal}` : `ended with ${code}`;
      throw new OperatorError("failed", `${program} ${how}${words ? `: ${words}` : ""}`);
    }
    if (input && !isFed)
      throw new OperatorError("failed", `${program} has not read all of what it was given`);
  } finally {
    options.signal.removeEventListener("abort", stop);
    if (child.exitCode === null && child.signalCode === null) stop();
    await ended;
    await feeding;
  }
}

/** Returns whether the program has taken all of it. */
async function feed(input: AsyncIterable<Uint8Array>, stdin: Writable): Promise<boolean> {
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    stdin.once("close", () => {
      isGone = true;
      resolve();
    });
  });
  // That it has gone is told by how it ended.
  stdin.on("error", () => stdin.destroy());
  for await (const chunk of input) {
    if (isGone) return false;
    if (!stdin.write(chunk)) await Promise.race([once(stdin, "drain").catch(() => {}), gone]);
  }
  if (isGone) return false;
  stdin.end();
  await gone;
  return stdin.writableFinished;
}
