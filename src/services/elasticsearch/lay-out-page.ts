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
/** A call of `copy` costs as much as so many bytes one by one. */
const SHORT = 48;
const [LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x0a, 0x0d, 0x20];

/**
 * Given the answer to a search, return its documents as two lines each, the action and the source, byte for byte as the server has it; they are added
 * to the tally. A line break within a document, which JSON has between its tokens only, becomes a space. Throws where the answer is not whole.
 */
export function layOutPage(page: Buffer, tally: Tally): LaidOut {
  const layout: Layout = {
    page,
    tally,
    hasBreaks: page.includes(LINE_FEED) || page.includes(CARRIAGE_RETURN),
    // What stands around a document there is never shorter than what is put around it here.
    lines: Buffer.allocUnsafe(page.length),
    at: 0,
    documents: 0,
    sortFrom: 0,
    sortTo: 0,
  };
  const envelope = scanPage(page, layOut, layout);
  const { lines, at, documents, sortFrom, sortTo } = layout;
  return {
    lines: lines.subarray(0, at),
    documents,
    envelope,
    ...(sortTo > 0 && { lastSort: page.toString("utf8", sortFrom, sortTo) }),
  };
}

/** What is being laid out. */
interface Layout {
  page: Buffer;
  tally: Tally;
  hasBreaks: boolean;
  lines: Buffer;
  /** So far. */
  at: number;
  documents: number;
  /** Of the last document. */
  sortFrom: number;
  sortTo: number;
}

function layOut(hit: Readonly<ScannedHit>, layout: Layout): void {
  const { page, lines, at } = layout;
  put(layout, BEFORE_ID, 0, BEFORE_ID.length);
  put(layout, page, hit.idFrom, hit.idTo);
  if (hit.routingTo > 0) {
    put(layout, BEFORE_ROUTING, 0, BEFORE_ROUTING.length);
    put(layout, page, hit.routingFrom, hit.routingTo);
  }
  put(layout, BEHIND_ACTION, 0, BEHIND_ACTION.length);
  const begin = layout.at;
  put(layout, page, hit.sourceFrom, hit.sourceTo);
  if (layout.hasBreaks) joinLines(lines, begin, layout.at);
  lines[layout.at++] = LINE_FEED;
  if (layout.at > lines.length) throw new Error("a document is longer than its page");
  addTo(layout.tally, lines.subarray(at, layout.at));
  layout.documents++;
  layout.sortFrom = hit.sortFrom;
  layout.sortTo = hit.sortTo;
}

function put(layout: Layout, bytes: Buffer, from: number, to: number): void {
  const { lines, at } = layout;
  if (to - from > SHORT) bytes.copy(lines, at, from, to);
  else for (let next = from; next < to; next++) lines[at + next - from] = bytes[next] as number;
  layout.at = at + to - from;
}

/** Its two lines. A digest that comes as a string of bytes costs half of one that comes as a buffer. */
function addTo(tally: Tally, document: Uint8Array): void {
  const digest = hash("sha256", document, "binary");
  const { sum } = tally;
  for (let index = 0; index < sum.length; index++)
    sum[index] = (sum[index] as number) ^ digest.charCodeAt(index);
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

function joinLines(lines: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++)
    if (lines[at] === LINE_FEED || lines[at] === CARRIAGE_RETURN) lines[at] = SPACE;
}
