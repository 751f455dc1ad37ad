import { describe, expect, test } from "vitest";
import {
  countOf,
  describeBytes,
  describeMegabytes,
  pluralOf,
} from "../../src/system/quantities.ts";

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KB"],
    [1024, "1.0 KB"],
    [409_600, "400 KB"],
    [1_048_576, "1.0 MB"],
    [1_073_741_824 * 150, "150 GB"],
    [1024 ** 5 * 9, "9216 TB"],
  ])("%i bytes are %s, as DynamoDB counts", (bytes, text) => {
    expect(describeBytes(bytes, 1024)).toBe(text);
  });

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1_500_000, "1.5 MB"],
    [123_456_789, "123 MB"],
    [40e9, "40.0 GB"],
    [9e15, "9000 TB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(describeBytes(bytes)).toBe(text);
  });

  test("whole MB are rounded up, unless they are to be rounded otherwise", () => {
    expect(describeMegabytes(1_000_001)).toBe("2 MB");
    expect(describeMegabytes(1_999_999, { round: Math.floor })).toBe("1 MB");
    expect(describeMegabytes(147.5 * 2 ** 20, { base: 1024 })).toBe("148 MB");
  });
});

test("one thing has the singular, any other number the plural", () => {
  expect([0, 1, 2].map((count) => countOf(count, "part"))).toEqual([
    "0 parts",
    "1 part",
    "2 parts",
  ]);
  expect(countOf(2, "index", "indices")).toBe("2 indices");
  expect(pluralOf(1, "passes", "pass")).toBe("passes");
});
