import { describe, expect, test } from "vitest";
import {
  describeAttributeChange,
  describeConflict,
} from "../../../src/commands/dyn/describe-change.ts";
import type { AttributeChange } from "../../../src/services/dynamodb/diff-items.ts";

const n = (value: string) => ({ type: "N", value }) as const;
const text = (value: string) => ({ type: "S", value }) as const;

describe("a change", () => {
  test.each<[AttributeChange, string]>([
    [{ path: ["hits"], before: n("5"), after: n("6") }, "hits: N 5 → N 6"],
    [{ path: ["hits"], before: n("5"), after: text("six") }, 'hits: N 5 → S "six" (another type)'],
    [{ path: ["new"], after: { type: "BOOL", value: true } }, "new: nothing → BOOL true"],
    [{ path: ["old"], before: { type: "NULL", value: true } }, "old: NULL null → nothing"],
    [{ path: ["stats", "a.b"], before: n("1"), after: n("2") }, 'stats."a.b": N 1 → N 2'],
  ])("is a line: %#", (change, line) => {
    expect(describeAttributeChange(change)).toBe(line);
  });

  test("is cut where it is long, but for numbers, of which each digit counts", () => {
    const long = describeAttributeChange({ path: ["a"], after: text("x".repeat(200)) });
    expect(long).toBe(`a: nothing → S "${"x".repeat(68)}…`);
    const digits = `0.${"1".repeat(90)}`;
    expect(describeAttributeChange({ path: ["a"], after: n(digits) })).toContain(digits);
  });
});

test("a conflict shows what it was, what it is, and what was wished", () => {
  expect(
    describeConflict({ path: ["hits"], before: n("5"), after: n("6"), now: text("seven") }),
  ).toEqual(["hits", "  was   N 5", '  is    S "seven"', "  yours N 6"]);
  expect(describeConflict({ path: ["hits"], after: n("6") })).toEqual([
    "hits",
    "  was   nothing",
    "  is    nothing",
    "  yours N 6",
  ]);
});
