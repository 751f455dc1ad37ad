import { describe, expect, test } from "vitest";
import { formatRaw, formatReply } from "../../../src/services/redis/format-reply.ts";
import { RedisFailure, type Reply } from "../../../src/services/redis/reply-reader.ts";
import { splitLine } from "../../../src/services/redis/split-line.ts";

describe("a line of the console", () => {
  test.each([
    ["  GET   a ", ["GET", "a"]],
    ["", []],
    ['SET "a b" "c\\"d"', ["SET", "a b", 'c"d']],
    ["SET 'a \\'b' 'c\\n'", ["SET", "a 'b", "c\\n"]],
    ['"\\x41\\n\\t\\q"', ["A\n\tq"]],
    ['""', [""]],
    ["GET 雪", ["GET", "雪"]],
  ])("%s is words", (line, words) => {
    expect(splitLine(line)?.map(String)).toEqual(words);
  });

  test("has bytes where it is told so", () => {
    expect(splitLine('"\\xff\\x00"')).toEqual([Buffer.from([0xff, 0x00])]);
  });

  test.each(['GET "a', "GET 'a", 'GET "a"b', "GET a'b'"])("%s has quotes amiss", (line) => {
    expect(splitLine(line)).toBeUndefined();
  });
});

describe("an answer", () => {
  test.each<[Reply, string, string]>([
    ["OK", "OK", "OK"],
    [7, "(integer) 7", "7"],
    [null, "(nil)", ""],
    [Buffer.from('a "b"\n'), '"a \\"b\\"\\n"', 'a "b"\n'],
    [Buffer.from("雪"), '"雪"', "雪"],
    [Buffer.from("\u001b[2J\u202e"), '"\\x1b[2J\\u202e"', "\u001b[2J\u202e"],
    [new RedisFailure("ERR no"), "(error) ERR no", "ERR no"],
    [[], "(empty array)", ""],
    [[Buffer.from("a"), [1, null]], '1) "a"\n2) 1) (integer) 1\n   2) (nil)', "a\n1\n"],
  ])("is shown on a screen, and raw in a pipe (%#)", (reply, shown, raw) => {
    expect(formatReply(reply)).toBe(shown);
    expect(formatRaw(reply).toString()).toBe(raw);
  });

  test("that is no text is shown by its bytes", () => {
    expect(formatReply(Buffer.from([0xff, 0x41, 0x00]))).toBe('"\\xffA\\x00"');
  });
});
