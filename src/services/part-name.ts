import { createHash } from "node:crypto";

/** A file's name has 255 bytes at most, and endings are to follow. */
const LONGEST = 160;

/**
 * Given a name from outside (a table, a metric), return it as one level of a part's path: letters, digits, `_` and `-` stay, dots behind
 * the first character too, all else is percent-encoded as UTF-8, and what is too long ends in its hash. Two names never come out
 * the same, none is `..`, and none is an option. Pure.
 */
export function encodePartName(name: string): string {
  const encoded = name
    .replace(/[^A-Za-z0-9._-]/gu, (character) =>
      [...Buffer.from(character)].map(percentOf).join(""),
    )
    .replace(/^[.-]/, (first) => percentOf(first.charCodeAt(0)));
  if (encoded.length <= LONGEST) return encoded;
  // No encoded name has a tilde of its own.
  return `${encoded.slice(0, LONGEST - 33)}~${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

const percentOf = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
