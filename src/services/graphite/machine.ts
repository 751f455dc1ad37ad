import { PassThrough, Readable, Writable } from "node:stream";
import type { Connection } from "../../reach/connect-host.ts";
import { OperatorError } from "../../system/errors.ts";
import { streamThrough } from "../../system/stream-through.ts";

/** A machine on which programs are run: this one, or one at the other end of an ssh connection. */
export interface Machine {
  /** For people. */
  name: string;
  /**
   * Given a program with its arguments and what it reads, return what it writes, as it comes. Throws at the end where `isFailure` says so of its
   * exit code and stderr (absent: any code but 0), and where the connection was lost.
   */
  run(
    words: readonly string[],
    options?: {
      input?: AsyncIterable<Uint8Array>;
      isFailure?: (code: number, stderr: string) => boolean;
    },
  ): AsyncIterable<Buffer>;
}

/** Given what this machine's programs get of variables, return it as a machine. */
export function thisMachine(environment: NodeJS.ProcessEnv, signal: AbortSignal): Machine {
  return {
    name: "this machine",
    run: ([program = "", ...args], { input, isFailure } = {}) =>
      streamThrough(program, args, input, {
        signal,
        // What is looked for in their words is looked for in English.
        environment: { ...environment, LC_ALL: "C" },
        ...(isFailure && { isFailure }),
      }),
  };
}

/** Given a connection, return the machine at its end. Every word is quoted for the shell there. */
export function farMachine(connection: Connection, signal: AbortSignal): Machine {
  return {
    name: connection.host,
    run: (words, options) => runFar(connection, words, { ...options, signal }),
  };
}

/** POSIX: within single quotes nothing is special but the quote itself. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const LONGEST_STDERR = 4 * 1024 * 1024;

async function* runFar(
  connection: Connection,
  words: readonly string[],
  options: {
    signal: AbortSignal;
    input?: AsyncIterable<Uint8Array>;
    isFailure?: (code: number, stderr: string) => boolean;
  },
): AsyncIterable<Buffer> {
  const { isFailure = (code: number) => code !== 0 } = options;
  const input = options.input && watchInput(options.input);
  const stop = new AbortController();
  const stdout = new PassThrough({ highWaterMark: 1024 * 1024 });
  let said = "";
  const stderr = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      said = (said + chunk.toString("utf8")).slice(-LONGEST_STDERR);
      done();
    },
  });
  const finished = connection
    .execute(`LC_ALL=C ${words.map(quote).join(" ")}`, {
      ...(input && { stdin: Readable.from(input.content, { objectMode: false }) }),
      stdout,
      stderr,
      signal: AbortSignal.any([options.signal, stop.signal]),
    })
    .then((status) => {
      // At the other end it was an input that is over.
      if (input?.failure !== undefined) throw input.failure;
      const code = "code" in status ? status.code : 255;
      if (!isFailure(code, said)) {
        if (input?.isOver !== false) return void stdout.end();
        said = "it has not read all of what it was given";
      }
      const how = "code" in status ? `ended with ${code}` : `was ended by ${status.signal}`;
      const last = said.trim().split("\n").slice(-3).join("; ");
      throw new OperatorError(
        "failed",
        `${connection.host}: ${words[0]} ${how}${last ? `: ${last}` : ""}`,
      );
    })
    .catch((error: unknown) => {
      stdout.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  try {
    yield* stdout as AsyncIterable<Buffer>;
  } finally {
    stop.abort(new OperatorError("cancelled", "its output is not read any more"));
    await finished;
  }
}

interface WatchedInput {
  content: AsyncIterable<Uint8Array>;
  isOver: boolean;
  /** What it threw. */
  failure?: unknown;
}

function watchInput(input: AsyncIterable<Uint8Array>): WatchedInput {
  const watched: WatchedInput = { content: pass(), isOver: false };
  async function* pass(): AsyncIterable<Uint8Array> {
    try {
      yield* input;
      watched.isOver = true;
    } catch (error) {
      watched.failure = error ?? new Error("its input failed");
      throw error;
    }
  }
  return watched;
}
