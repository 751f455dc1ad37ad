import { createHash } from "node:crypto";
import type { ByteDigest } from "../services/set-content.ts";
import { countOf } from "../system/quantities.ts";

/** Bytes that pass, and what they were. */
export interface Digester {
  /** Pass them on, counted and hashed. */
  pass(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Of all that has passed; called once, at the end. */
  end(): ByteDigest;
}

/** Return what counts and hashes (SHA-256) bytes on their way. */
export function makeDigester(): Digester {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    pass: async function* (content) {
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    end: () => ({ bytes, sha256: hash.digest("hex") }),
  };
}

/** Given bytes, return their digest once they have been read to the end. */
export async function digestBytes(content: AsyncIterable<Uint8Array>): Promise<ByteDigest> {
  const digester = makeDigester();
  for await (const _ of digester.pass(content)) continue;
  return digester.end();
}

/** Given two digests, return what tells them apart, `found` beside `expected`; undefined where they are one. Pure. */
export function compareDigests(found: ByteDigest, expected: ByteDigest): string | undefined {
  if (found.bytes !== expected.bytes)
    return `${countOf(found.bytes, "byte")} instead of ${expected.bytes}`;
  return found.sha256 === expected.sha256 ? undefined : "its SHA-256 is another one";
}
