import { countOf } from "../../system/quantities.ts";
import { createHash } from "node:crypto";

/** What bytes must be. What is absent is not known. */
export interface ExpectedBytes {
  size: number;
  sha256?: string;
  /** Hexadecimal. */
  md5?: string;
  /** An etag of several pieces, `…-3`, and of how many bytes each but the last is. */
  pieces?: { etag: string; bytes: number };
}

/** They are fewer than was promised: the connection was cut, and another attempt may bring them whole. */
export class CutShortError extends Error {
  override readonly name = "CutShortError";
}

/** They are not what they were. */
export class DamagedBytesError extends Error {
  override readonly name = "DamagedBytesError";
}

/** Given bytes and what they must be, pass them on, and throw at their end where they are not. `onEnd` gets their SHA-256. */
export async function* checkBytes(
  bytes: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
  onEnd?: (sha256: string) => void,
): AsyncGenerator<Uint8Array> {
  const sha256 = createHash("sha256");
  const md5 = expected.md5 === undefined ? undefined : createHash("md5");
  const pieces = expected.pieces && hashPieces(expected.pieces.bytes);
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > expected.size)
      throw new DamagedBytesError(`more than its ${countOf(expected.size, "byte")}`);
    sha256.update(chunk);
    md5?.update(chunk);
    pieces?.update(chunk);
    yield chunk;
  }
  if (size < expected.size)
    throw new CutShortError(`${size} of its ${countOf(expected.size, "byte")}`);
  const found = sha256.digest("hex");
  if (expected.sha256 !== undefined && found !== expected.sha256)
    throw new DamagedBytesError("its SHA-256 is another one");
  if (md5 && md5.digest("hex") !== expected.md5)
    throw new DamagedBytesError("its MD5 is not its etag");
  if (pieces && pieces.end() !== expected.pieces?.etag)
    throw new DamagedBytesError("the MD5 of its pieces is not its etag");
  onEnd?.(found);
}

/** The etag of an upload in pieces: the MD5 of the MD5s of its pieces, and how many they are. */
function hashPieces(bytes: number): { update: (chunk: Uint8Array) => void; end: () => string } {
  const whole = createHash("md5");
  let count = 0;
  let piece = createHash("md5");
  let filled = 0;
  const finish = (): void => {
    whole.update(piece.digest());
    count++;
    piece = createHash("md5");
    filled = 0;
  };
  return {
    update: (chunk) => {
      for (let from = 0; from < chunk.length;) {
        const part = chunk.subarray(from, from + bytes - filled);
        piece.update(part);
        filled += part.length;
        from += part.length;
        if (filled === bytes) finish();
      }
    },
    end: () => {
      if (filled > 0 || count === 0) finish();
      return `${whole.digest("hex")}-${count}`;
    },
  };
}
