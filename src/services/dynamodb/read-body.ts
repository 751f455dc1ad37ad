import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { PagePool } from "./page-pool.ts";

/** An answer of the service. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable;
}

/** An answer of which nothing more has come for so long never ends: the SDK's own limit is that of its beginning. */
const STALLED_MS = 15_000;

/**
 * Given an answer, return the bytes of its body, with a pool in its memory. Throws where the body is cut, is not that of its checksum,
 * or stalls.
 */
export async function readBody(
  { headers, body }: Omit<Answer, "statusCode">,
  pool?: PagePool,
  stalledMs = STALLED_MS,
): Promise<Buffer> {
  const length = Number(headers["content-length"] ?? 0);
  const bytes =
    pool && length > 0
      ? await readInto(pool.takeBody(length), body, stalledMs)
      : await collect(body, stalledMs);
  const expected = headers["x-amz-crc32"];
  if (expected !== undefined && Number(expected) !== crc32(bytes))
    throw new Error("the answer is not that of its checksum");
  return bytes;
}

async function readInto(target: Buffer, body: Readable, stalledMs: number): Promise<Buffer> {
  let at = 0;
  await readChunks(body, stalledMs, (chunk) => void (at += chunk.copy(target, at)));
  if (at !== target.length) throw new Error("the answer is aborted");
  return target;
}

async function collect(body: Readable, stalledMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await readChunks(body, stalledMs, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** By its events: an iteration would make a promise for each chunk. */
function readChunks(
  body: Readable,
  stalledMs: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(() => {
      const error = new Error(`the answer has stalled for ${stalledMs} ms`);
      body.destroy(Object.assign(error, { name: "TimeoutError" }));
    }, stalledMs);
    body.on("data", (chunk: Buffer) => {
      stalled.refresh();
      take(chunk);
    });
    body.once("error", reject);
    body.once("end", resolve);
    body.once("close", () => {
      clearTimeout(stalled);
      reject(new Error("the answer is aborted"));
    });
  });
}
