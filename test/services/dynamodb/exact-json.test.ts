import { expect, test } from "vitest";
import { parseExactJson, writeExactJson } from "../../../src/services/dynamodb/exact-json.ts";

test.each([
  '{"b":1,"10":2,"a":3,"2":4}',
  '{"__proto__":{"x":1},"toString":null,"":[]}',
  "[1.50,-0,1E-130,99999999999999999999999999999999999999]",
  '{"\\u0000":"\\ud834\\udd1e"}'.replace("\\ud834\\udd1e", "𝄞"),
])("%s is written as it was read: each name in its place, each digit", (text) => {
  expect(writeExactJson(parseExactJson(text))).toBe(text);
});

test.each([
  ['{"a":1,\n"a":1}', 'the name "a" is there twice', 2],
  [`${"[".repeat(300)}${"]".repeat(300)}`, "it is too deep", 1],
  ['{"a":1} x', "something follows behind the end", 1],
  ['\n\n{"a":"b', "a text is not closed", 3],
  ['"\\x"', "a text has a wrong escape, or a control character", 1],
  ["[01]", "a , or ] is missing", 1],
  ["", "it ends too early", 1],
])("%j is refused: %s, on line %i", (text, message, line) => {
  expect(() => parseExactJson(text)).toThrow(expect.objectContaining({ message, line }));
});
