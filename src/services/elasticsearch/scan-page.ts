import { scanElements, scanMembers, skipValue } from "../../system/scan-json.ts";

/** Where something stands in the bytes of a page: from the first byte to behind the last. */
type Span = readonly [from: number, to: number];

/** A document of a page, as the server wrote it. */
export interface ScannedHit {
  id: Span;
  source: Span;
  routing?: Span;
  sort?: Span;
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
 * Given the answer to a search, call `found` with where each of its documents stands in it, and return the rest, parsed. The documents are not parsed: numbers
 * past 2^53, the order of keys and every other byte stay as they are. Throws where the answer is no whole answer, or a document of it has no source.
 */
export function scanPage(page: Uint8Array, found: (hit: ScannedHit) => void): Envelope {
  let hits: Span | undefined;
  scanMembers(page, 0, (name, from) => {
    if (!isWord(page, name, HITS)) return skipValue(page, from);
    return scanMembers(page, from, (inner, at) => {
      if (!isWord(page, inner, HITS)) return skipValue(page, at);
      const to = scanElements(page, at, (element) => scanHit(page, element, found));
      hits = [at, to];
      return to;
    });
  });
  const text = (from: number, to: number): string =>
    Buffer.from(page.buffer, page.byteOffset + from, to - from).toString("utf8");
  const whole = hits ? `${text(0, hits[0])}[]${text(hits[1], page.length)}` : text(0, page.length);
  return JSON.parse(whole) as Envelope;
}

const [HITS, ID, SOURCE, ROUTING, SORT] = ["hits", "_id", "_source", "_routing", "sort"].map(
  (word) => Buffer.from(`"${word}"`),
) as [Buffer, Buffer, Buffer, Buffer, Buffer];

function scanHit(page: Uint8Array, at: number, found: (hit: ScannedHit) => void): number {
  const hit: { -readonly [Name in keyof ScannedHit]?: Span } = {};
  const end = scanMembers(page, at, (name, from) => {
    const to = skipValue(page, from);
    if (isWord(page, name, ID)) hit.id = [from, to];
    else if (isWord(page, name, SOURCE)) hit.source = [from, to];
    else if (isWord(page, name, SORT)) hit.sort = [from, to];
    else if (isWord(page, name, ROUTING)) hit.routing = [from, to];
    return to;
  });
  if (!hit.id || !hit.source)
    throw new Error("a document has no source: its index does not keep it");
  found(hit as ScannedHit);
  return end;
}

/** Whether the string that begins there is this word; both with their quotes. */
function isWord(page: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++)
    if (page[from + index] !== word[index]) return false;
  return true;
}
