import { expect, test } from "vitest";
import { makeScanPace } from "../../../src/services/dynamodb/scan-pace.ts";

/** A pace on a clock of its own, and what lets a second pass with that many bytes. */
function makeClocked(busyShare: () => number = () => 0) {
  let now = 0;
  const pace = makeScanPace(() => now, busyShare);
  return {
    pace,
    second: (bytes: number): number => {
      now += 1000;
      pace.onPage(bytes);
      return pace.atOnce();
    },
  };
}

test("is doubled as long as that brings much more, up to 16", () => {
  const { second } = makeClocked();
  const grown = Array.from({ length: 4 }, (_, index) => second(1000 * 1.5 ** index));
  expect(grown).toEqual([4, 8, 16, 16]);
});

test("stays at four where twice as many bring little, tries one more later, and steps back from that too", () => {
  const { second } = makeClocked();
  const grown = Array.from({ length: 15 }, (_, index) => second(index === 2 ? 1100 : 1000));
  expect(grown.slice(0, 4)).toEqual([4, 8, 4, 4]);
  expect(grown.slice(-3)).toEqual([4, 5, 4]);
});

test("keeps twice as many where that brings less than half as much again, and goes on by one", () => {
  const { second } = makeClocked();
  const rates = [1000, 1000, 1300, 1300, 1400];
  expect(rates.map(second)).toEqual([4, 8, 9, 8, 8]);
});

test("steps back by no more than it has just grown, whatever slows it down later", () => {
  let share = 0;
  const { second } = makeClocked(() => share);
  expect([1000, 1000].map(second)).toEqual([4, 8]);
  share = 0.9;
  expect([1300, 600, 600, 600].map(second)).toEqual([8, 8, 8, 8]);
});

test("does not grow in a process that has no time for more", () => {
  const { second } = makeClocked(() => 0.95);
  const grown = Array.from({ length: 10 }, (_, index) => second(1000 * 1.5 ** index));
  expect(grown).toEqual(Array.from({ length: 10 }, () => 4));
});

test("after a throttle grows by one a second as long as that brings more, up to 16", () => {
  const { pace, second } = makeClocked();
  pace.onThrottle();
  const grown = Array.from({ length: 20 }, (_, index) => second(1000 * 1.2 ** index));
  expect(grown.slice(0, 5)).toEqual([2, 3, 4, 5, 6]);
  expect(grown.at(-1)).toBe(16);
});

test("is halved by a throttle, never below one", () => {
  const { pace, second } = makeClocked();
  pace.onThrottle();
  expect(pace.atOnce()).toBe(2);
  pace.onThrottle();
  pace.onThrottle();
  expect(pace.atOnce()).toBe(1);
  expect([second(10), second(10)]).toEqual([1, 2]);
});
