import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeBuckets } from "../../src/workstation/time-buckets.ts";

test("percentiles are those of all times, or less than 1/64 above", () => {
  const times = fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 300 });
  const parts = fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1);
  fc.assert(
    fc.property(times, parts, (all, part) => {
      const buckets = new TimeBuckets();
      for (const ms of all) buckets.add(ms);
      const sorted = all.toSorted((left, right) => left - right);
      const exact = sorted[Math.max(1, Math.ceil(part * all.length)) - 1] ?? 0;
      const told = buckets.percentileMs(part);
      expect(told).toBeGreaterThanOrEqual(exact);
      expect(told).toBeLessThanOrEqual(exact + exact / 64);
      if (exact < 128) expect(told).toBe(exact);
      expect(buckets.percentileMs(1)).toBe(sorted.at(-1));
    }),
  );
});

test("without a time there is nothing to tell", () => {
  const buckets = new TimeBuckets();
  expect([buckets.percentileMs(0.5), buckets.meanMs(), buckets.count]).toEqual([0, 0, 0]);
});
