import { describe, expect, test } from "vitest";
import type { Table } from "../../../src/services/dynamodb/describe-table.ts";
import { describeKey, parseRowKey } from "../../../src/services/dynamodb/row-key.ts";

const table = (type: "S" | "N" | "B") =>
  ({ name: "t", key: [{ name: "id", type }] }) as never as Table;

describe("a key", () => {
  test.each<["S" | "N" | "B", string, string]>([
    ["S", "007", "007"],
    ["S", "b64:AA==", "b64:AA=="],
    ["N", "-7", "-7"],
    ["B", "b64:AP+A", "b64:AP+A"],
    ["B", "b64:AA==", "b64:AA=="],
  ])("of the type %s is read from %s", (type, word, told) => {
    const key = parseRowKey(table(type), [word]);
    expect([key.get("id")?.type, describeKey(key)]).toEqual([type, told]);
  });

  test.each<["S" | "N" | "B", string, RegExp]>([
    ["S", "", /must not be empty/],
    ["N", "x", /no number/],
    ["N", "1e400", /outside/],
    ["B", "AP+A", /b64:/],
    ["B", "b64:", /b64:/],
    ["B", "b64:AAA", /b64:/],
    ["B", "b64:A===", /b64:/],
  ])("of the type %s is not %s", (type, word, said) => {
    expect(() => parseRowKey(table(type), [word])).toThrow(said);
  });
});
