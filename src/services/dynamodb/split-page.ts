/** Bytes of a page of a scan, as the service sent them. */
export interface Page {
  /** The whole answer, without line breaks. */
  body: Buffer;
  /** Where each item begins and ends in it, two numbers for each: an object for each would cost more than all the rest. */
  bounds: Uint32Array<ArrayBuffer>;
  /** As it is to be sent again; absent: this was the last page. */
  lastKey?: string;
  /** Absent where the service does not say. */
  consumedUnits?: number;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

class Cut extends Error {
  override readonly message = "the answer is no page of a scan";
}

/** Behind the text that begins at `at`. */
function skipString(bytes: Buffer, at: number): number {
  let index = at + 1;
  for (;;) {
    const byte = bytes[index];
    if (byte === QUOTE) return index + 1;
    if (byte === undefined) throw new Cut();
    index += byte === BACKSLASH ? 2 : 1;
  }
}

function skipBlanks(bytes: Buffer, at: number): number {
  let index = at;
  while ((bytes[index] ?? 0xff) <= 0x20) index++;
  return index;
}

/** Behind the value that begins at `at`. */
function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at);
  let index = at;
  if (first !== OPEN_MAP && first !== OPEN_LIST) {
    for (;;) {
      const byte = bytes[index];
      if (byte === undefined) throw new Cut();
      if (byte <= 0x20 || byte === COMMA || byte === CLOSE_MAP || byte === CLOSE_LIST) break;
      index++;
    }
    if (index === at) throw new Cut();
    return index;
  }
  let depth = 0;
  for (;;) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      // The same as `skipString`, here for its speed: nearly all of a page is texts.
      index++;
      for (let inner = bytes[index]; inner !== QUOTE; inner = bytes[index]) {
        if (inner === undefined) throw new Cut();
        index += inner === BACKSLASH ? 2 : 1;
      }
    } else if (byte === OPEN_MAP || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE_MAP || byte === CLOSE_LIST) {
      depth--;
      if (depth === 0) return index + 1;
    } else if (byte === undefined) throw new Cut();
    index++;
  }
}

/** Given the body of a Scan's answer, return its items byte by byte, whatever the order of its members. Throws where it is none.
 * `room` is memory for their bounds, of which more is made where it is too little. */
export function splitPage(
  answer: Buffer,
  room: Uint32Array<ArrayBuffer> = new Uint32Array(1024),
): Page {
  const bytes = withoutBreaks(answer);
  const page: Page = { body: bytes, bounds: new Uint32Array() };
  let at = skipBlanks(bytes, 0);
  if (bytes[at] !== OPEN_MAP) throw new Cut();
  at = skipBlanks(bytes, at + 1);
  while (bytes[at] !== CLOSE_MAP) {
    if (bytes[at] !== QUOTE) throw new Cut();
    const nameEnd = skipString(bytes, at);
    const name = JSON.parse(bytes.toString("utf8", at, nameEnd)) as string;
    at = skipBlanks(bytes, nameEnd);
    if (bytes[at] !== COLON) throw new Cut();
    at = skipBlanks(bytes, at + 1);
    let end: number;
    if (name === "Items") {
      // Read once: they are nearly all of the answer.
      const items = splitList(bytes, at, room);
      page.bounds = items.bounds;
      end = items.end;
    } else end = skipValue(bytes, at);
    if (name === "LastEvaluatedKey") {
      const key = bytes.toString("utf8", at, end);
      if (key !== "null") page.lastKey = key;
    } else if (name === "ConsumedCapacity") {
      const consumed = JSON.parse(bytes.toString("utf8", at, end)) as Record<string, unknown>;
      const units = consumed?.["CapacityUnits"];
      if (typeof units === "number") page.consumedUnits = units;
    }
    at = skipBlanks(bytes, end);
    if (bytes[at] === COMMA) at = skipBlanks(bytes, at + 1);
    else if (bytes[at] !== CLOSE_MAP) throw new Cut();
  }
  return page;
}

/** Returns the bounds of the values of the list that begins there, and where it ends. */
function splitList(
  bytes: Buffer,
  begin: number,
  room: Uint32Array<ArrayBuffer>,
): { bounds: Uint32Array<ArrayBuffer>; end: number } {
  if (bytes[begin] !== OPEN_LIST) throw new Cut();
  let bounds: Uint32Array<ArrayBuffer> = room;
  let count = 0;
  let at = skipBlanks(bytes, begin + 1);
  while (bytes[at] !== CLOSE_LIST) {
    const itemEnd = skipValue(bytes, at);
    if (count === bounds.length) {
      const longer = new Uint32Array(new ArrayBuffer(count * 8));
      longer.set(bounds);
      bounds = longer;
    }
    bounds[count++] = at;
    bounds[count++] = itemEnd;
    at = skipBlanks(bytes, itemEnd);
    if (bytes[at] === COMMA) at = skipBlanks(bytes, at + 1);
    else if (bytes[at] !== CLOSE_LIST) throw new Cut();
  }
  return { bounds: bounds.subarray(0, count), end: at + 1 };
}

/** A line break can only stand between its parts: within a text JSON has it escaped. */
function withoutBreaks(answer: Buffer): Buffer {
  if (!answer.includes(0x0a) && !answer.includes(0x0d)) return answer;
  return Buffer.from(answer.filter((byte) => byte !== 0x0a && byte !== 0x0d));
}

/** Given a page, return its items one by one, as JSON. Pure. */
export function listItems({ body, bounds }: Page): string[] {
  return Array.from({ length: bounds.length / 2 }, (_, index) =>
    body.toString("utf8", bounds[index * 2], bounds[index * 2 + 1]),
  );
}
