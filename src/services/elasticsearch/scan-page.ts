import { scanElements, scanMembers, skipValue } from "../../system/scan-json.ts";

/**
 * Where in the bytes of a page a document stands, as the server wrote it: each part from its first byte to behind its last. A part
 * that there is not begins and ends at 0.
 */
export interface ScannedHit {
  idFrom: number;
  idTo: number;
  sourceFrom: number;
  sourceTo: number;
  routingFrom: number;
  routingTo: number;
  sortFrom: number;
  sortTo: number;
}

/** What of a page is no document. */
export interface Envelope {
  timed_out: boolean;
  _shards: { total: number; failed: number; failures?: unknown[] };
  hits: { total?: { value: number; relation: string } | number };
  _scroll_id?: string;
  pit_id?: string;
}

/**
 * Given the answer to a search, call `found` with where each of its documents stands in it and with `state`, and return the rest, parsed. The documents are not
 * parsed: numbers past 2^53, the order of keys and every other byte stay as they are. The hit is one object all the time, changed for each document: a million
 * small ones cost more to collect than the page to read. Throws where the answer is no whole answer, or a document of it has no source.
 */
export function scanPage<S>(
  page: Uint8Array,
  found: (hit: Readonly<ScannedHit>, state: S) => void,
  state: S,
): Envelope {
  const scan: Scan<S> = { page, found, state, hitsFrom: 0, hitsTo: 0, ...NOWHERE };
  scanMembers(page, 0, scanTop, scan as Scan<unknown>);
  const text = (from: number, to: number): string =>
    Buffer.from(page.buffer, page.byteOffset + from, to - from).toString("utf8");
  const { hitsFrom, hitsTo } = scan;
  const whole =
    hitsTo > 0 ? `${text(0, hitsFrom)}[]${text(hitsTo, page.length)}` : text(0, page.length);
  return JSON.parse(whole) as Envelope;
}

interface Scan<S> extends ScannedHit {
  page: Uint8Array;
  found: (hit: Readonly<ScannedHit>, state: S) => void;
  state: S;
  /** Where the documents stand. */
  hitsFrom: number;
  hitsTo: number;
}

const NOWHERE: ScannedHit = {
  idFrom: 0,
  idTo: 0,
  sourceFrom: 0,
  sourceTo: 0,
  routingFrom: 0,
  routingTo: 0,
  sortFrom: 0,
  sortTo: 0,
};

const [HITS, ID, SOURCE, ROUTING, SORT] = ["hits", "_id", "_source", "_routing", "sort"].map(
  (word) => Buffer.from(`"${word}"`),
) as [Buffer, Buffer, Buffer, Buffer, Buffer];

function scanTop(name: number, value: number, scan: Scan<unknown>): number {
  const { page } = scan;
  return isWord(page, name, HITS)
    ? scanMembers(page, value, scanHits, scan)
    : skipValue(page, value);
}

function scanHits(name: number, value: number, scan: Scan<unknown>): number {
  const { page } = scan;
  if (!isWord(page, name, HITS)) return skipValue(page, value);
  scan.hitsFrom = value;
  scan.hitsTo = scanElements(page, value, scanHit, scan);
  return scan.hitsTo;
}

function scanHit(_at: number, value: number, scan: Scan<unknown>): number {
  scan.idTo = scan.sourceTo = scan.routingTo = scan.sortTo = 0;
  const end = scanMembers(scan.page, value, scanMember, scan);
  if (scan.idTo === 0 || scan.sourceTo === 0)
    throw new Error("a document has no source: its index does not keep it");
  scan.found(scan, scan.state);
  return end;
}

function scanMember(name: number, from: number, scan: Scan<unknown>): number {
  const { page } = scan;
  const to = skipValue(page, from);
  if (isWord(page, name, ID)) {
    scan.idFrom = from;
    scan.idTo = to;
  } else if (isWord(page, name, SOURCE)) {
    scan.sourceFrom = from;
    scan.sourceTo = to;
  } else if (isWord(page, name, SORT)) {
    scan.sortFrom = from;
    scan.sortTo = to;
  } else if (isWord(page, name, ROUTING)) {
    scan.routingFrom = from;
    scan.routingTo = to;
  }
  return to;
}

/** Whether the string that begins there is this word; both with their quotes. */
function isWord(page: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++)
    if (page[from + index] !== word[index]) return false;
  return true;
}
