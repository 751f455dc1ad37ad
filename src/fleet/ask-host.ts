import { Readable, Writable } from "node:stream";
import type { Connection } from "../reach/connect-host.ts";
import { OperatorError } from "../system/errors.ts";

/** What a script may say at the most. */
const MOST_BYTES = 4 * 1024 * 1024;
const LIMIT_MS = 180_000;

/** What a script of ours has said: all values of each key, in their order. */
export type Answer = ReadonlyMap<string, readonly string[]>;

/**
 * Given a connection, one of our scripts and its argument, run it there and return what it says. Throws what `execute` throws, and `unreachable` where it
 * ends otherwise than with 0, or says too much.
 */
export async function askHost(
  connection: Connection,
  script: string,
  argument: string,
  signal: AbortSignal,
): Promise<Answer> {
  const [stdout, stderr] = [collect(), collect()];
  const status = await connection.execute(`sh -s ${argument}`, {
    stdin: Readable.from([Buffer.from(script)]),
    stdout: stdout.sink,
    stderr: stderr.sink,
    signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
  });
  if (!("code" in status) || status.code !== 0) {
    const how = "code" in status ? `with ${status.code}` : `by ${status.signal}`;
    const said = stderr.text().trim().split("\n").at(-1);
    throw new OperatorError("unreachable", `${connection.label}: its shell ended ${how}: ${said}`);
  }
  return readAnswer(stdout.text());
}

/** Given the output of a script, return its values by key. What is no line of ours is passed over. Pure. */
function readAnswer(text: string): Answer {
  const answer = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab <= 0) continue;
    const key = line.slice(0, tab);
    answer.set(key, [...(answer.get(key) ?? []), line.slice(tab + 1)]);
  }
  return answer;
}

function collect(): { sink: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) return done(new OperatorError("failed", "it says too much"));
      chunks.push(chunk);
      done();
    },
  });
  sink.on("error", () => {});
  return { sink, text: () => Buffer.concat(chunks).toString() };
}
