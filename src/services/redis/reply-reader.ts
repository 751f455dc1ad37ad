/** An answer of Redis that is an error. It is a value: one among many answers spoils no other. */
export class RedisFailure {
  /** `NOAUTH Authentication required.`; not yet printable. */
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** An answer in RESP2: text is a status (`OK`), bytes are what is stored, null is what is not there. */
export type Reply = string | Buffer | number | bigint | null | RedisFailure | readonly Reply[];

/** Given an answer, return it as text; empty where it is none. Pure. */
export function readText(reply: Reply): string {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === "string" ? reply : "";
}

/** No line of Redis is longer, and nothing that it stores is. */
const [LINE_LIMIT, STRING_LIMIT] = [64 * 1024, 512 * 1024 * 1024];
const NONE = -1;

/**
 * Return a function that takes what has arrived, piece by piece, and calls `onReply` with each answer that is whole; it throws where that
 * is no RESP2 (redis.io, "Redis serialization protocol specification"). Nothing is looked at twice, however large an answer is.
 */
export function makeReplyReader(onReply: (reply: Reply) => void): (piece: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** Before so many bytes are held, there is nothing to be read. */
  let wantedBytes = 1;
  const open: { items: Reply[]; size: number }[] = [];

  const take = (reply: Reply): void => {
    let whole = reply;
    for (;;) {
      const last = open.at(-1);
      if (!last) return onReply(whole);
      last.items.push(whole);
      if (last.items.length < last.size) return;
      whole = open.pop()?.items ?? [];
    }
  };

  /** Reads one element; returns where the next one begins, or the negative number of bytes that must be held for it. */
  const read = (buffer: Buffer, at: number): number => {
    const end = buffer.indexOf("\r\n", at);
    if (end < 0) {
      if (buffer.length - at > LINE_LIMIT) throw new Error("it answers in another protocol");
      checkType(buffer, at);
      return -(buffer.length - at + 1);
    }
    const type = checkType(buffer, at);
    const line = buffer.toString(type === "$" || type === "*" ? "latin1" : "utf8", at + 1, end);
    const next = end + 2;
    if (type === "+") take(line);
    else if (type === "-") take(new RedisFailure(line));
    else if (type === ":") take(readInteger(line));
    else {
      const size = readSize(line);
      if (size === NONE) take(null);
      else if (type === "$") {
        if (buffer.length < next + size + 2) return -(next + size + 2 - at);
        take(buffer.subarray(next, next + size));
        return next + size + 2;
      } else if (size === 0) take([]);
      else open.push({ items: [], size });
    }
    return next;
  };

  return (piece) => {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes < wantedBytes) return;
    const buffer = held.length === 1 ? piece : Buffer.concat(held, heldBytes);
    let at = 0;
    wantedBytes = 1;
    while (at < buffer.length) {
      const next = read(buffer, at);
      if (next < 0) {
        wantedBytes = -next;
        break;
      }
      at = next;
    }
    held = at < buffer.length ? [buffer.subarray(at)] : [];
    heldBytes = buffer.length - at;
  };
}

function checkType(buffer: Buffer, at: number): string {
  const type = String.fromCharCode(buffer[at] ?? 0);
  if (!"+-:$*".includes(type)) throw new Error("it answers in another protocol than Redis'");
  return type;
}

function readInteger(line: string): number | bigint {
  if (!/^[+-]?\d{1,19}$/.test(line)) throw new Error("it answers a number that is none");
  const value = Number(line);
  return Number.isSafeInteger(value) ? value : BigInt(line);
}

function readSize(line: string): number {
  const size = Number(line);
  if (!/^(-1|\d{1,10})$/.test(line) || size > STRING_LIMIT)
    throw new Error("it answers something of a size that cannot be");
  return size;
}

/** Given the words of a command, return them as Redis reads them: binary, so that no name needs quotes. Pure. */
export function encodeCommand(words: readonly (string | Buffer)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? Buffer.from(word) : word;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END);
  }
  return Buffer.concat(pieces);
}

const LINE_END = Buffer.from("\r\n");
