import { expect, test } from "vitest";
import { makeScanPace } from "../../../src/services/dynamodb/scan-pace.ts";

/** A pace on a clock of its own, and what lets a second pass with that many bytes. */
function makeClocked() {
  let now = 0;
  const pace = makeScanPace(() => now);
  return {
    pace,
    second: (bytes: number): number => {
      now += 1000;
      pace.onPage(bytes);
      return pace.atOnce();
    },
  };
}

test("grows by one a second as long as that brings more, up to 16", () => {
  const { second } = makeClocked();
  const grown = Array.from({ length: 20 }, (_, index) => second(1000 * 1.2 ** index));
  expect(grown.slice(0, 4)).toEqual([5, 6, 7, 8]);
  expect(grown.at(-1)).toBe(16);
});

test("steps back where one more has brought nothing, and tries again later", () => {
  const { second } = makeClocked();
  const grown = Array.from({ length: 14 }, () => second(1000));
  expect(grown.slice(0, 3)).toEqual([5, 4, 4]);
  expect(grown.slice(-2)).toEqual([5, 4]);
});

test("is halved by a throttle, never below one", () => {
  const { pace, second } = makeClocked();
  pace.onThrottle();
  expect(pace.atOnce()).toBe(2);
  pace.onThrottle();
  pace.onThrottle();
  expect(pace.atOnce()).toBe(1);
  expect(second(10)).toBe(2);
});
