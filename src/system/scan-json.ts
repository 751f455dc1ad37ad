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

/** Given where an array begins, call `each` with where each of its elements does, and return behind its end; `each` returns where the element ends. */
export function scanElements(page: Uint8Array, from: number, each: (at: number) => number): number {
  return scanList(page, from, OPEN_ARRAY, each);
}

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
export function scanMembers(
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
