import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeSlots } from "../../src/workstation/time-slots.ts";

test("has at most sixty slots, and loses no sample", () => {
  const samples = fc.array(fc.record({ at: fc.nat(5_000_000), elapsedMs: fc.nat(10_000) }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(samples, (all) => {
      const slots = new TimeSlots();
      for (const { at, elapsedMs } of all) slots.add(at, elapsedMs);
      const { seconds, perSecond, meanMs } = slots.list();
      expect(perSecond.length).toBeLessThanOrEqual(60);
      expect(meanMs).toHaveLength(perSecond.length);
      expect(Number.isInteger(Math.log2(seconds))).toBe(true);
      const counted = perSecond.reduce((sum, value) => sum + value * seconds, 0);
      expect(counted).toBeCloseTo(all.length, 6);
      const most = Math.max(...all.map(({ elapsedMs }) => elapsedMs));
      expect(Math.max(...meanMs)).toBeLessThanOrEqual(most);
    }),
  );
});

test("tells the mean of each second, and widens by two", () => {
  const slots = new TimeSlots();
  for (const [at, elapsedMs] of [
    [0, 10],
    [900, 20],
    [2_000, 5],
  ])
    slots.add(at ?? 0, elapsedMs ?? 0);
  expect(slots.list()).toEqual({ seconds: 1, perSecond: [2, 0, 1], meanMs: [15, 0, 5] });
  slots.add(60_000, 8);
  const wide = slots.list();
  expect(wide.seconds).toBe(2);
  expect(wide.perSecond.slice(0, 2)).toEqual([1, 0.5]);
  expect(wide.meanMs.at(-1)).toBe(8);
});

test("counts a sample from before the first one with the first", () => {
  const slots = new TimeSlots();
  slots.add(10_000, 1);
  slots.add(9_000, 3);
  expect(slots.list()).toEqual({ seconds: 1, perSecond: [2], meanMs: [2] });
});
