import { describe, expect, test } from "vitest";
import type { Sample } from "../../src/workstation/read-samples.ts";
import { LoadCount } from "../../src/workstation/summarise-load.ts";

describe("what was measured", () => {
  const sample = (more: Partial<Sample>): Sample => ({
    at: 1_700_000_000_000,
    elapsedMs: 10,
    label: "a",
    hasFailed: false,
    why: "200 OK",
    ...more,
  });

  test("is told by label, with what has failed and why, and over time", () => {
    const count = new LoadCount();
    for (let second = 0; second < 600; second++) {
      const at = 1_700_000_000_000 + second * 1_000;
      count.add(sample({ at }));
      count.add(sample({ at, label: "b", elapsedMs: 30, hasFailed: second % 2 === 0, why: "503" }));
    }
    // Of two that ran at once the earlier one may come later.
    count.add(sample({ at: 1_699_999_999_999 }));
    const { samples, failed, seconds, labels, reasons, overTime } = count.summarise();
    expect({ samples, failed }).toEqual({ samples: 1_201, failed: 300 });
    expect(seconds).toBeCloseTo(599.031, 3);
    expect(labels).toMatchObject([
      { label: "a", samples: 601, failed: 0, meanMs: 10, p99Ms: 10 },
      { label: "b", samples: 600, failed: 300, meanMs: 30, maxMs: 30 },
    ]);
    expect(reasons).toEqual([{ why: "503", count: 300 }]);
    // Ten minutes in at most sixty slots, none of its samples lost.
    expect(overTime.perSecond.length).toBeLessThanOrEqual(60);
    const told = overTime.perSecond.reduce((sum, value) => sum + value * overTime.seconds, 0);
    expect(told).toBeCloseTo(1_201, 6);
    expect(new Set(overTime.meanMs.slice(1))).toEqual(new Set([20]));
  });

  test("does not grow with labels and reasons", () => {
    const count = new LoadCount();
    for (let number = 0; number < 1_000; number++)
      count.add(sample({ label: `GET /${number}`, hasFailed: true, why: `${number}` }));
    const { samples, labels, reasons } = count.summarise();
    expect(samples).toBe(1_000);
    expect(labels).toHaveLength(51);
    expect(labels.at(-1)).toMatchObject({ label: "(others)", samples: 950 });
    expect(reasons[0]).toEqual({ why: "(others)", count: 980 });
  });

  test("of nothing is nothing", () => {
    expect(new LoadCount().summarise()).toMatchObject({
      samples: 0,
      seconds: 0,
      perSecond: 0,
      overTime: { perSecond: [], meanMs: [] },
    });
  });
});
