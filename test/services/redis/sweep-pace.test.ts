import { describe, expect, test } from "vitest";
import { FIRST_PACE, nextPace, type SweepPace } from "../../../src/services/redis/sweep-pace.ts";

const settle = (seen: Parameters<typeof nextPace>[1]): SweepPace => {
  let pace = FIRST_PACE;
  for (let step = 0; step < 20; step++) pace = nextPace(pace, seen);
  return pace;
};

describe("the pace of a sweep", () => {
  test.each([
    ["grows to two thousand keys where nobody waits", 1.3, 0.3, 0, 2_000, 0.5],
    ["grows further where the way is long", 83, 80, 1, 5_000, 1.5],
    ["leaves the server time for others", 8.3, 0.3, 0, 500, 4],
    ["is small, with long pauses, where others wait", 3, 0.3, 40, 500, 80],
    ["never stands still", 900, 0.3, 900, 500, 100],
  ])("%s", (_what, stepMs, roundTripMs, waitMs, count, pauseMs) => {
    const pace = settle({ stepMs, roundTripMs, waitMs });
    expect(pace.count).toBe(count);
    expect(pace.pauseMs).toBeCloseTo(pauseMs, 5);
  });

  test("recovers in two steps from what was an accident", () => {
    const easy = { stepMs: 1, roundTripMs: 0.3, waitMs: 0 };
    const slow = nextPace({ count: 2_000, pauseMs: 0 }, { ...easy, waitMs: 50 });
    expect(slow).toEqual({ count: 1_000, pauseMs: 100 });
    expect(nextPace(slow, easy).count).toBe(2_000);
  });
});
