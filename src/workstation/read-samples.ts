import { pipeline } from "node:stream/promises";
import { Readable, Writable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { OperatorError } from "../system/errors.ts";

/** One line of a result file. */
export interface Sample {
  /** When it began, in milliseconds since 1970. */
  at: number;
  elapsedMs: number;
  label: string;
  hasFailed: boolean;
  /** Why, where it has. */
  why: string;
}

const NO_CSV = "the result file of JMeter is not in CSV with a head";
const NEEDED = ["timeStamp", "elapsed", "label", "success"];

/**
 * Given a result file of JMeter in CSV with a head, hand each sample on, and return whether its end is whole: a JMeter that was killed leaves half a line,
 * which is passed over. Throws `failed` where it is no such file. JMeter's manual, "CSV Log format".
 */
export async function readSamples(
  chunks: AsyncIterable<Buffer>,
  take: (sample: Sample) => void,
): Promise<boolean> {
  let lastByte: number | undefined;
  async function* watchEnd(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      lastByte = chunk.at(-1);
      yield chunk;
    }
  }
  let isWhole = true;
  const parser = parse({
    columns: (head: string[]) => {
      if (NEEDED.every((name) => head.includes(name))) return head;
      throw new OperatorError("failed", NO_CSV);
    },
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const sink = new Writable({
    objectMode: true,
    write(row: Record<string, string>, _encoding, done) {
      const sample = toSample(row);
      if (sample) take(sample);
      else isWhole = false;
      done();
    },
  });
  try {
    await pipeline(Readable.from(watchEnd(), { objectMode: false }), parser, sink);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code !== "CSV_QUOTE_NOT_CLOSED") {
      throw new OperatorError("failed", `${NO_CSV}: ${error.message}`, { cause: error });
    }
    isWhole = false;
  }
  return isWhole && (lastByte === undefined || lastByte === 0x0a);
}

function toSample(row: Record<string, string | undefined>): Sample | undefined {
  const { timeStamp, elapsed, label, success, responseCode, responseMessage } = row;
  const [at, elapsedMs] = [Number(timeStamp || Number.NaN), Number(elapsed || Number.NaN)];
  if (!Number.isFinite(at) || !Number.isFinite(elapsedMs) || label === undefined) return undefined;
  if (success !== "true" && success !== "false") return undefined;
  const answer = `${responseCode ?? ""} ${responseMessage ?? ""}`.trim();
  // What an assertion says is more than that the answer was 200 OK.
  const why = row["failureMessage"] || answer || "it does not say why";
  return { at, elapsedMs, label, hasFailed: success === "false", why };
}
