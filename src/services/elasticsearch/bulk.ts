import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { asPath, type Cluster } from "./cluster.ts";

/** A request of `_bulk` has some 5 MB. */
const BODY_BYTES = 5 * 1024 * 1024;
const LINE_FEED = 0x0a;
/** An item that the cluster had no room for, or whose shard was just moving, is sent again, each time after a longer pause. */
const PAUSE_MS = { first: 250, longest: 10_000 };
const TRIES = 12;
const PASSING: ReadonlySet<number> = new Set([429, 503]);

/** A document: its two lines. */
type Document = Buffer;

interface BulkAnswer {
  errors: boolean;
  items: Record<string, { status: number; error?: { type?: string; reason?: string } }>[];
}

/**
 * Given lines as an export has them, write their documents into an index, and return how many they were. Each item's answer is looked at: what the cluster
 * had no room for is sent again, and anything else throws `failed`.
 */
export async function writeDocuments(
  cluster: Cluster,
  index: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  let written = 0;
  for await (const documents of splitBodies(content)) {
    let left = documents;
    for (let [tried, pause] = [1, PAUSE_MS.first]; left.length > 0; tried++) {
      left = await sendBody(cluster, index, left);
      if (left.length === 0) break;
      if (tried === TRIES)
        throw new OperatorError("failed", `${index}: the cluster takes no more documents`, {
          next: "see _nodes/stats/thread_pool and _cluster/health of the cluster",
        });
      await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
      pause = Math.min(pause * 2, PAUSE_MS.longest);
    }
    written += documents.length;
  }
  return written;
}

/** Sends documents, and returns those that are to be sent again. They have ids: sent twice they are one. */
async function sendBody(
  cluster: Cluster,
  index: string,
  documents: readonly Document[],
): Promise<Document[]> {
  const told = "errors,items.*.status,items.*.error.type,items.*.error.reason";
  const { errors, items = [] } = await cluster.send<Partial<BulkAnswer>>({
    method: "POST",
    // No pipeline: they have been through it.
    path: `${asPath(index)}/_bulk?pipeline=_none&filter_path=${told}`,
    body: Buffer.concat(documents),
    isLines: true,
  });
  if (items.length !== documents.length)
    throw new OperatorError(
      "failed",
      `${index}: ${countOf(documents.length, "document was", "documents were")} sent, and ${items.length} answered for`,
    );
  const again: Document[] = [];
  for (const [at, item] of items.entries()) {
    const [result] = Object.values(item);
    const document = documents[at];
    if (result && result.status >= 200 && result.status < 300) continue;
    if (!result || !PASSING.has(result.status) || !document) {
      const { type = "", reason = "" } = result?.error ?? {};
      throw new OperatorError(
        "failed",
        `${index}: a document is refused, HTTP ${result?.status ?? "?"}: ${type}: ${reason.slice(0, 300)}`,
      );
    }
    again.push(document);
  }
  if (errors && again.length === 0)
    throw new OperatorError(
      "failed",
      `${index}: an answer says that it has errors, and names none`,
    );
  return again;
}

/** Pairs of lines, as many at once as one request takes. Throws where the last pair is cut off. */
async function* splitBodies(content: AsyncIterable<Uint8Array>): AsyncIterable<Document[]> {
  let rest: Buffer = Buffer.alloc(0);
  let documents: Document[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    let from = 0;
    for (;;) {
      const action = data.indexOf(LINE_FEED, from);
      const end = action === -1 ? -1 : data.indexOf(LINE_FEED, action + 1);
      if (end === -1) break;
      const document = data.subarray(from, end + 1);
      documents.push(document);
      bytes += document.length;
      from = end + 1;
      if (bytes < BODY_BYTES) continue;
      yield documents;
      [documents, bytes] = [[], 0];
    }
    rest = data.subarray(from);
  }
  if (rest.length > 0) throw new OperatorError("failed", "the last document of a part is cut off");
  if (documents.length > 0) yield documents;
}

/** Given the lines of a part, return how many documents they are. Throws where one is cut off, or has no action. */
export async function checkDocuments(content: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const documents of splitBodies(content)) {
    for (const document of documents)
      if (document.toString("latin1", 0, 16) !== '{"index":{"_id":')
        throw new OperatorError("failed", `document ${count} has no action in front of it`);
      else count++;
  }
  return count;
}
