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

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const SPACE = 0x20;

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
      const to = scanList(page, at, OPEN_ARRAY, (element) => scanHit(page, element, found));
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

function refuse(): never {
  throw new Error("the answer is cut off, or no JSON");
}

/** The first byte from there on that is no white space. */
function skipBlank(page: Uint8Array, from: number): number {
  let at = from;
  while (at < page.length && (page[at] as number) <= SPACE) at++;
  return at;
}

/** Behind the closing quote of the string that begins there. */
function skipString(page: Uint8Array, from: number): number {
  const { length } = page;
  for (let at = from + 1; at < length; at++) {
    const byte = page[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at + 1;
  }
  return refuse();
}

/** Behind the value that begins there. */
function skipValue(page: Uint8Array, from: number): number {
  const first = page[from];
  if (first === QUOTE) return skipString(page, from);
  const { length } = page;
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
    let depth = 0;
    for (let at = from; at < length; at++) {
      const byte = page[at] as number;
      if (byte === QUOTE) at = skipString(page, at) - 1;
      // Both brackets differ from their lower-case twins in one bit: one comparison finds either.
      else if ((byte | 0x20) === OPEN_OBJECT) depth++;
      else if ((byte | 0x20) === CLOSE_OBJECT) {
        depth--;
        if (depth === 0) return at + 1;
      }
    }
    return refuse();
  }
  let at = from;
  for (; at < length; at++) {
    const byte = page[at] as number;
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY || byte <= SPACE) break;
  }
  return at === from ? refuse() : at;
}

/** Calls `each` with where each element of the array or object begins, and returns behind its closing bracket; `each` returns where the element ends. */
function scanList(
  page: Uint8Array,
  from: number,
  open: number,
  each: (at: number) => number,
): number {
  const close = open + 2;
  let at = skipBlank(page, from);
  if (page[at] !== open) refuse();
  at = skipBlank(page, at + 1);
  if (page[at] === close) return at + 1;
  for (;;) {
    at = skipBlank(page, each(at));
    if (page[at] === close) return at + 1;
    if (page[at] !== COMMA) refuse();
    at = skipBlank(page, at + 1);
  }
}

/** The same for the members of an object: where the name begins, and where the value. */
function scanMembers(
  page: Uint8Array,
  from: number,
  each: (name: number, value: number) => number,
): number {
  return scanList(page, from, OPEN_OBJECT, (at) => {
    if (page[at] !== QUOTE) refuse();
    const colon = skipBlank(page, skipString(page, at));
    if (page[colon] !== COLON) refuse();
    return each(at, skipBlank(page, colon + 1));
  });
}
