import { expect, test } from "vitest";
import { type DiskSample, predictFull } from "../../../src/commands/health/predict-full.ts";

const GB = 1e9;
const DAY = 86_400_000;

const grow = (perDay: number, days: number, everyDays = 1): DiskSample[] =>
  Array.from({ length: Math.floor(days / everyDays) + 1 }, (_, index) => [
    index * everyDays * DAY,
    10 * GB + index * everyDays * perDay,
  ]);

test("a disk that grows by 1 GB a day is full on the day when the line says so", () => {
  const samples = grow(GB, 10);
  expect(predictFull(samples, 40 * GB, 10 * DAY)?.getTime()).toBeCloseTo(30 * DAY, -3);
});

test.each([
  ["too few samples", grow(GB, 2)],
  ["a day alone", grow(GB, 1, 0.1)],
  ["none at all", []],
  ["one that does not grow", grow(0, 10)],
  ["one that shrinks", grow(-GB / 2, 10)],
  ["one that grows in ages", grow(1_000, 10)],
  [
    "one that is filled and emptied every other day",
    grow(GB / 8, 10).map(([at, used], index) => [at, used + (index % 2) * 8 * GB] as const),
  ],
  ["one that was emptied yesterday", [...grow(GB, 9), [10 * DAY, 2 * GB] as const]],
])("%s: nobody knows when it is full", (_what, samples) => {
  expect(predictFull(samples, 40 * GB, 10 * DAY)).toBeUndefined();
});

test("a disk that is over its size already is full now, not in the past", () => {
  const samples = grow(GB, 10);
  expect(predictFull(samples, 15 * GB, 12 * DAY)?.getTime()).toBe(12 * DAY);
});
