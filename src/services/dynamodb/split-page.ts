import { scanElements, scanMembers, skipString, skipValue } from "../../system/scan-json.ts";

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

/** Given the body of a Scan's answer, return its items byte by byte, whatever the order of its members. Throws where it is none.
 * `room` is memory for their bounds, of which more is made where it is too little. */
export function splitPage(
  answer: Buffer,
  room: Uint32Array<ArrayBuffer> = new Uint32Array(1024),
): Page {
  try {
    return readPage(answer, room);
  } catch (error) {
    throw new Error("the answer is no page of a scan", { cause: error });
  }
}

function readPage(answer: Buffer, room: Uint32Array<ArrayBuffer>): Page {
  const bytes = withoutBreaks(answer);
  const page: Page = { body: bytes, bounds: new Uint32Array() };
  scanMembers(
    bytes,
    0,
    (nameAt, at) => {
      const name = JSON.parse(bytes.toString("utf8", nameAt, skipString(bytes, nameAt))) as string;
      if (name === "Items") {
        // Read once: they are nearly all of the answer.
        const items = splitList(bytes, at, room);
        page.bounds = items.bounds;
        return items.end;
      }
      const end = skipValue(bytes, at);
      if (name === "LastEvaluatedKey") {
        const key = bytes.toString("utf8", at, end);
        if (key !== "null") page.lastKey = key;
      } else if (name === "ConsumedCapacity") {
        const consumed = JSON.parse(bytes.toString("utf8", at, end)) as Record<string, unknown>;
        const units = consumed?.["CapacityUnits"];
        if (typeof units === "number") page.consumedUnits = units;
      }
      return end;
    },
    undefined,
  );
  return page;
}

/** Returns the bounds of the values of the list that begins there, and where it ends. */
function splitList(
  bytes: Buffer,
  begin: number,
  room: Uint32Array<ArrayBuffer>,
): { bounds: Uint32Array<ArrayBuffer>; end: number } {
  const list: List = { bytes, bounds: room, count: 0 };
  const end = scanElements(bytes, begin, addItem, list);
  return { bounds: list.bounds.subarray(0, list.count), end };
}

interface List {
  bytes: Buffer;
  bounds: Uint32Array<ArrayBuffer>;
  /** Of bounds, two each. */
  count: number;
}

function addItem(at: number, _value: number, list: List): number {
  const end = skipValue(list.bytes, at);
  if (list.count === list.bounds.length) {
    const longer = new Uint32Array(new ArrayBuffer(list.count * 8));
    longer.set(list.bounds);
    list.bounds = longer;
  }
  list.bounds[list.count++] = at;
  list.bounds[list.count++] = end;
  return end;
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
