import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeCommand,
  makeReplyReader,
  RedisFailure,
  type Reply,
} from "../../../src/services/redis/reply-reader.ts";

/** The answer as a server sends it. */
function encode(reply: Reply): Buffer {
  if (reply === null) return Buffer.from("$-1\r\n");
  if (typeof reply === "string") return Buffer.from(`+${reply}\r\n`);
  if (typeof reply === "number" || typeof reply === "bigint") return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof RedisFailure) return Buffer.from(`-${reply.message}\r\n`);
  if (Buffer.isBuffer(reply))
    return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from("\r\n")]);
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
}

const line = fc.string().map((text) => text.replace(/[\r\n]/g, ""));
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const { reply: anyReply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small" },
    line,
    bytes,
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.constant(null),
    line.map((text) => new RedisFailure(text)),
    fc.array(tie("reply"), { maxLength: 5 }),
  ),
}));

function readIn(pieces: readonly Buffer[]): Reply[] {
  const replies: Reply[] = [];
  const read = makeReplyReader((reply) => replies.push(reply));
  for (const piece of pieces) read(piece);
  return replies;
}

describe("answers", () => {
  test("are what the server has sent, in whatever pieces they come", () => {
    fc.assert(
      fc.property(fc.array(anyReply), fc.array(fc.nat(40)), (replies, cuts) => {
        let rest = Buffer.concat(replies.map(encode));
        const pieces = cuts.map((size) => {
          const piece = rest.subarray(0, size);
          rest = rest.subarray(size);
          return piece;
        });
        expect(readIn([...pieces, rest])).toEqual(replies);
      }),
    );
  });

  test("may be large, and come in many pieces, in the time of few", () => {
    const large = Buffer.alloc(32 * 1024 * 1024, "x");
    const wire = encode([large, "OK"]);
    const pieces = Array.from({ length: Math.ceil(wire.length / 4096) }, (_, at) =>
      wire.subarray(at * 4096, (at + 1) * 4096),
    );
    const begin = performance.now();
    const [reply] = readIn(pieces);
    // Looked at anew with each of the 8,192 pieces, it would take minutes.
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(Array.isArray(reply) && Buffer.isBuffer(reply[0]) && reply[0].equals(large)).toBe(true);
  });

  test.each([
    "HTTP/1.1 400 Bad Request\r\n",
    "SSH-2.0-OpenSSH\r\n",
    "$5x\r\n",
    "$-2\r\n",
    "*-7\r\n",
    ":12.5\r\n",
    ":\r\n",
    "$99999999999\r\n",
    `+${"x".repeat(70_000)}`,
    "HTTP",
  ])("that no Redis gives are refused (%#)", (text) => {
    expect(() => readIn([Buffer.from(text)])).toThrow();
  });
});

test("commands are binary: no word needs quotes", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, fc.string()), { minLength: 1 }), (words) => {
      const [read] = readIn([encodeCommand(words)]);
      expect(read).toEqual(words.map((word) => Buffer.from(word as string)));
    }),
  );
});
