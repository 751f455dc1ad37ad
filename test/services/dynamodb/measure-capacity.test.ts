import { expect, test } from "vitest";
import type { AttributeValue, Item } from "../../../src/services/dynamodb/attribute-value.ts";
import { measureItem, measureValue } from "../../../src/services/dynamodb/item-size.ts";
import {
  forecastCapacity,
  makeCapacityMeter,
} from "../../../src/services/dynamodb/measure-capacity.ts";

const text = (value: string): AttributeValue => ({ type: "S", value });

/** DynamoDB Developer Guide, "Item sizes and formats". */
test.each<[string, AttributeValue, number]>([
  ["a text, by its UTF-8", text("aü🎻"), 7],
  ["binary, by its bytes", { type: "B", value: "AP+A" }, 3],
  ["a number, two digits a byte and one more", { type: "N", value: "123456" }, 4],
  ["a number without its zeros", { type: "N", value: "1200000" }, 2],
  ["a negative number", { type: "N", value: "-12" }, 3],
  ["the longest number", { type: "N", value: "9".repeat(38) }, 20],
  ["null", { type: "NULL", value: true }, 1],
  ["a set", { type: "SS", value: ["ab", "c"] }, 3],
  ["a list, three bytes and one a member", { type: "L", value: [text("ab"), text("c")] }, 8],
  ["a map", { type: "M", value: new Map([["ab", text("c")]]) }, 7],
])("%s has its size", (_what, value, bytes) => {
  expect(measureValue(value)).toBe(bytes);
});

const items: Item[] = Array.from({ length: 4 }, (_, index) => {
  const item = new Map<string, AttributeValue>([
    ["id", text(`row-${index}`)],
    ["body", text("x".repeat(3000))],
  ]);
  if (index < 2) item.set("day", text("2014-03-01"));
  return item;
});

test("an index costs what it holds: of items that have its key, their projected attributes", () => {
  const key = [{ name: "id", type: "S" as const }];
  const day = [{ name: "day", type: "S" as const }];
  const meter = makeCapacityMeter({
    key,
    indexes: [
      { name: "keys", kind: "global", key: day, projected: [] },
      { name: "whole", kind: "global", key: day, projected: "all" },
      { name: "other type", kind: "global", key: [{ name: "day", type: "N" }], projected: "all" },
    ],
  });
  for (const item of items) meter.add(item);
  const report = meter.report();
  expect(report.indexes).toEqual([
    { name: "keys", share: 0.5, writeUnits: 1 },
    { name: "whole", share: 0.5, writeUnits: 3 },
    { name: "other type", share: 0, writeUnits: 0 },
  ]);
  expect(report.bytes.max).toBe(measureItem(items[0] ?? new Map()));
  expect(report.attributes[0]).toEqual({ name: "body", bytes: 4 * 3004 });
  expect(forecastCapacity(report, { reads: 10, writes: 20 })).toEqual({
    readUnits: 5,
    strongReadUnits: 10,
    writeUnits: 60,
    indexes: [
      { name: "keys", writeUnits: 10 },
      { name: "whole", writeUnits: 30 },
      { name: "other type", writeUnits: 0 },
    ],
  });
});

test("nothing has no size, and no share of anything", () => {
  const report = makeCapacityMeter({ key: [], indexes: [] }).report();
  expect(report).toMatchObject({ items: 0, bytes: { mean: 0, max: 0 }, units: { write: 0 } });
});
