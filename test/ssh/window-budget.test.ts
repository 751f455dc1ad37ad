import { describe, expect, test } from "vitest";
import {
  budgetBytes,
  makeWindowBudget,
  usualWindowBytes,
  type WindowBudget,
  type WindowShare,
} from "../../src/ssh/window-budget.ts";

const MIB = 1024 * 1024;
const join = async (budget: WindowBudget): Promise<WindowShare> => {
  const share = await budget.join(0);
  if (!share) throw new Error("there is no room");
  return share;
};
/** A channel that always uses what it gets. */
const fill = (share: WindowShare): number => {
  const limit = share.limit(16 * MIB);
  share.hold(limit);
  return limit;
};

describe("the budget of windows", () => {
  test("the first channel starts as ssh does, and may have 16 MiB", async () => {
    const share = await join(makeWindowBudget());
    expect(share.firstBytes).toBe(usualWindowBytes);
    for (let round = 0; round < 40; round++) fill(share);
    expect(share.limit(16 * MIB)).toBeGreaterThan(15.9 * MIB);
    expect(share.limit(3 * MIB)).toBe(3 * MIB);
  });

  test("256 greedy channels stay within it, and even the last has something", async () => {
    const budget = makeWindowBudget();
    for (let index = 0; index < 256; index++) {
      const share = await join(budget);
      expect(share.firstBytes).toBeGreaterThanOrEqual(128 * 1024);
      for (let round = 0; round < 20; round++) fill(share);
      expect(budget.grantedBytes()).toBeLessThanOrEqual(budgetBytes);
    }
  });

  test("busy channels come to equal parts, whoever came first", async () => {
    const budget = makeWindowBudget();
    const shares = [await join(budget)];
    for (let round = 0; round < 40; round++) fill(shares[0] as WindowShare);
    for (let index = 0; index < 3; index++) shares.push(await join(budget));
    let limits: number[] = [];
    // Each has read a quarter of what it had, and asks again.
    for (let round = 0; round < 200; round++) {
      limits = shares.map((share) => {
        share.hold(share.limit(16 * MIB) * 0.75);
        return fill(share);
      });
    }
    expect(Math.min(...limits) / Math.max(...limits)).toBeGreaterThan(0.7);
    expect(Math.min(...limits)).toBeGreaterThan(5 * MIB);
  });

  test("what is left is given back, once", async () => {
    const budget = makeWindowBudget();
    const share = await join(budget);
    share.leave();
    share.leave();
    share.hold(5 * MIB);
    expect(budget.grantedBytes()).toBe(0);
    expect((await join(budget)).firstBytes).toBe(usualWindowBytes);
    expect(budget.grantedBytes()).toBe(usualWindowBytes);
  });

  test("the 257th waits until one has left, or until its time is over", async () => {
    const budget = makeWindowBudget();
    const shares: WindowShare[] = [];
    for (let index = 0; index < 256; index++) shares.push(await join(budget));
    expect(await budget.join(10)).toBeUndefined();
    const waiting = budget.join(60_000);
    shares[7]?.leave();
    expect((await waiting)?.firstBytes).toBeGreaterThanOrEqual(128 * 1024);
    expect(await budget.join(10)).toBeUndefined();
  });

  test("while somebody types, no window is larger than usual", () => {
    const budget = makeWindowBudget();
    expect(budget.largestBytes()).toBe(16 * MIB);
    const releases = [budget.keepSmall(), budget.keepSmall()];
    expect(budget.largestBytes()).toBe(usualWindowBytes);
    releases[0]?.();
    expect(budget.largestBytes()).toBe(usualWindowBytes);
    releases[1]?.();
    expect(budget.largestBytes()).toBe(16 * MIB);
  });

  test("of the round trips that were seen the shortest is believed", () => {
    const budget = makeWindowBudget();
    for (const ms of [80, 3000, 81]) budget.noteRoundTrip(ms);
    expect(budget.roundTripMs()).toBe(80);
  });
});
