import { RedisFailure, type Reply } from "./reply-reader.ts";

/** Given an answer, return it for a screen, as redis-cli shows it: `(integer) 1`, `"text"`, `1) …`; nothing in it steers a terminal. Pure. */
export function formatReply(reply: Reply, indent = ""): string {
  if (reply === null) return "(nil)";
  if (typeof reply === "string") return escapeBytes(Buffer.from(reply));
  if (typeof reply === "number" || typeof reply === "bigint") return `(integer) ${reply}`;
  if (reply instanceof RedisFailure) return `(error) ${escapeBytes(Buffer.from(reply.message))}`;
  if (Buffer.isBuffer(reply)) return `"${escapeBytes(reply, true)}"`;
  if (reply.length === 0) return "(empty array)";
  const width = String(reply.length).length;
  return reply
    .map((item, index) => {
      const number = `${String(index + 1).padStart(width)}) `;
      const text = formatReply(item, indent + " ".repeat(number.length));
      return `${index === 0 ? "" : indent}${number}${text}`;
    })
    .join("\n");
}

/** Given an answer, return its bytes as they are, for a pipe: an item a line. Pure. */
export function formatRaw(reply: Reply): Buffer {
  if (reply === null) return Buffer.from("");
  if (Buffer.isBuffer(reply)) return reply;
  if (reply instanceof RedisFailure) return Buffer.from(reply.message);
  if (typeof reply !== "object") return Buffer.from(`${reply}`);
  const items = reply.map(formatRaw);
  return Buffer.concat(
    items.flatMap((item, at) => (at === 0 ? [item] : [Buffer.from("\n"), item])),
  );
}

function escapeBytes(bytes: Buffer, isQuoted = false): string {
  const text = bytes.toString("utf8");
  // What is no UTF-8 is shown byte by byte.
  const shown = Buffer.from(text).equals(bytes) ? text : bytes.toString("latin1");
  const isBinary = shown !== text;
  return shown.replace(
    isBinary ? /[^ -~]|["\\]/g : /[\p{Cc}\p{Bidi_Control}\u2028\u2029]|["\\]/gu,
    (character) => {
      if (character === '"' || character === "\\") return isQuoted ? `\\${character}` : character;
      if (character === "\n") return "\\n";
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}
