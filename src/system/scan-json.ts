/** JSON in bytes, gone over without being parsed: numbers past 2^53, the order of names and every other byte stay as they are. */
const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const SPACE = 0x20;

/** Bytes that are no JSON, or cut off. */
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
export function skipString(page: Uint8Array, from: number): number {
  const { length } = page;
  for (let at = from + 1; at < length; at++) {
    const byte = page[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at + 1;
  }
  return refuse();
}

/** Behind the value that begins there. */
export function skipValue(page: Uint8Array, from: number): number {
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

/**
 * What is called for each part of a list: where it begins (a member of an object with its name), where its value does, and what was given along. Returns
 * where it ends. A function of the module with its state given along stays compiled; one that is made anew for each page is compiled for each page.
 */
type Each<S> = (at: number, value: number, state: S) => number;

/** Given where an array begins, call `each` with where each of its elements does, and return behind its end. */
export function scanElements<S>(page: Uint8Array, from: number, each: Each<S>, state: S): number {
  return scanList(page, from, OPEN_ARRAY, each, state);
}

/** The same for the members of an object. */
export function scanMembers<S>(page: Uint8Array, from: number, each: Each<S>, state: S): number {
  return scanList(page, from, OPEN_OBJECT, each, state);
}

function scanList<S>(
  page: Uint8Array,
  from: number,
  open: number,
  each: Each<S>,
  state: S,
): number {
  const close = open + 2;
  let at = skipBlank(page, from);
  if (page[at] !== open) refuse();
  at = skipBlank(page, at + 1);
  if (page[at] === close) return at + 1;
  for (;;) {
    const value = open === OPEN_OBJECT ? skipName(page, at) : at;
    at = skipBlank(page, each(at, value, state));
    if (page[at] === close) return at + 1;
    if (page[at] !== COMMA) refuse();
    at = skipBlank(page, at + 1);
  }
}

/** Where the value begins of the member that begins there. */
function skipName(page: Uint8Array, at: number): number {
  if (page[at] !== QUOTE) refuse();
  const colon = skipBlank(page, skipString(page, at));
  if (page[colon] !== COLON) refuse();
  return skipBlank(page, colon + 1);
}
