import { hash } from "node:crypto";
import { type Envelope, type ScannedHit, scanPage } from "./scan-page.ts";

/** Documents as they are read, counted, and summed up in no order. */
export interface Tally {
  documents: number;
  /** The exclusive or of the SHA-256 of each. */
  sum: Buffer;
}

/** A page, as lines that `_bulk` takes. */
export interface LaidOut {
  lines: Buffer;
  documents: number;
  envelope: Envelope;
  /** Where the next page begins, as the server wrote it. */
  lastSort?: string;
}

export const newTally = (): Tally => ({ documents: 0, sum: Buffer.alloc(32) });

const BEFORE_ID = Buffer.from('{"index":{"_id":');
const BEFORE_ROUTING = Buffer.from(',"routing":');
const BEHIND_ACTION = Buffer.from("}}\n");
const [LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x0a, 0x0d, 0x20];

/**
 * Given the answer to a search, return its documents as two lines each, the action and the source, byte for byte as the server has it; they are added
 * to the tally. A line break within a document, which JSON has between its tokens only, becomes a space. Throws where the answer is not whole.
 */
export function layOutPage(page: Buffer, tally: Tally): LaidOut {
  const hits: ScannedHit[] = [];
  const envelope = scanPage(page, (hit) => hits.push(hit));
  const hasBreaks = page.includes(LINE_FEED) || page.includes(CARRIAGE_RETURN);
  const lines = Buffer.allocUnsafe(hits.reduce((sum, hit) => sum + lengthOf(hit), 0));
  let at = 0;
  const put = (bytes: Buffer, from = 0, to = bytes.length): void => {
    at += bytes.copy(lines, at, from, to);
  };
  for (const { id, routing, source } of hits) {
    const from = at;
    put(BEFORE_ID);
    put(page, id[0], id[1]);
    if (routing) {
      put(BEFORE_ROUTING);
      put(page, routing[0], routing[1]);
    }
    put(BEHIND_ACTION);
    const begin = at;
    put(page, source[0], source[1]);
    if (hasBreaks) joinLines(lines, begin, at);
    lines[at++] = LINE_FEED;
    addTo(tally, lines.subarray(from, at));
  }
  const sort = hits.at(-1)?.sort;
  return {
    lines,
    documents: hits.length,
    envelope,
    ...(sort && { lastSort: page.toString("utf8", sort[0], sort[1]) }),
  };
}

/** Its two lines. */
function addTo(tally: Tally, document: Uint8Array): void {
  const digest = hash("sha256", document, "buffer");
  for (let index = 0; index < digest.length; index += 4)
    tally.sum.writeInt32LE(tally.sum.readInt32LE(index) ^ digest.readInt32LE(index), index);
  tally.documents++;
}

/** Given tallies of parts of an index, return their sum. Pure. */
export function joinTallies(tallies: readonly Tally[]): Tally {
  const whole = newTally();
  for (const { documents, sum } of tallies) {
    whole.documents += documents;
    for (const [index, byte] of sum.entries()) whole.sum[index] = (whole.sum[index] ?? 0) ^ byte;
  }
  return whole;
}

function lengthOf({ id, routing, source }: ScannedHit): number {
  const own = (span: readonly [number, number]): number => span[1] - span[0];
  const action = BEFORE_ID.length + own(id) + BEHIND_ACTION.length;
  return action + (routing ? BEFORE_ROUTING.length + own(routing) : 0) + own(source) + 1;
}

function joinLines(lines: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++)
    if (lines[at] === LINE_FEED || lines[at] === CARRIAGE_RETURN) lines[at] = SPACE;
}
