/** Golden files, one a case: what is kept and why, over the calendar's corners; and an oracle over random sets. */
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Kept, planRetention } from "../../src/backup/plan-retention.ts";
import type { KeepConfig } from "../../src/config/backup-schema.ts";

type Given = Pick<Kept, "at"> & Partial<Kept>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One set every `stepMs`, from a time to another. */
function every(stepMs: number, from: string, to: string): Given[] {
  const sets: Given[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += stepMs)
    sets.push({ at: new Date(at) });
  return sets;
}

const on = (at: string, more: Partial<Kept> = {}): Given => ({ at: new Date(at), ...more });

const fill = (sets: readonly Given[]): Kept[] =>
  sets.map((set, index) => ({
    setId: `${set.at.toISOString().replace(/[-:]|\.\d+/g, "")}-${String(index).padStart(6, "0")}`,
    result: "complete",
    isProven: false,
    ...set,
  }));

interface Case {
  name: string;
  sets: Given[];
  keep: KeepConfig | undefined;
  now: string;
  timeZone?: string;
}

const CASES: Case[] = [
  {
    name: "leap-year",
    sets: every(DAY_MS, "2023-12-25T02:15:00Z", "2024-03-02T02:15:00Z"),
    keep: { daily: 4, monthly: 3, yearly: 2 },
    now: "2024-03-02T12:00:00Z",
  },
  {
    name: "no-leap-year",
    sets: every(DAY_MS, "2100-02-20T02:15:00Z", "2100-03-02T02:15:00Z"),
    keep: { daily: 4, monthly: 3 },
    now: "2100-03-02T12:00:00Z",
  },
  {
    name: "week-53-and-the-turn-of-the-year",
    sets: every(DAY_MS, "2020-12-18T02:15:00Z", "2021-01-12T02:15:00Z"),
    keep: { weekly: 4, yearly: 2 },
    now: "2021-01-12T12:00:00Z",
  },
  {
    name: "spring-in-dublin",
    sets: every(6 * HOUR_MS, "2026-03-27T23:30:00Z", "2026-03-30T23:30:00Z"),
    keep: { daily: 4 },
    now: "2026-03-31T00:00:00Z",
    timeZone: "Europe/Dublin",
  },
  {
    name: "autumn-in-dublin",
    sets: every(6 * HOUR_MS, "2026-10-23T23:30:00Z", "2026-10-26T23:30:00Z"),
    keep: { daily: 4 },
    now: "2026-10-27T00:00:00Z",
    timeZone: "Europe/Dublin",
  },
  {
    // The day that does not exist there: 30 December 2011 was left out.
    name: "a-day-that-was-left-out-in-apia",
    sets: every(12 * HOUR_MS, "2011-12-28T20:00:00Z", "2012-01-01T20:00:00Z"),
    keep: { daily: 3 },
    now: "2012-01-02T00:00:00Z",
    timeZone: "Pacific/Apia",
  },
  {
    name: "a-pause-pushes-nothing-out",
    sets: [
      ...every(DAY_MS, "2025-01-01T02:15:00Z", "2025-01-05T02:15:00Z"),
      ...every(DAY_MS, "2026-05-01T02:15:00Z", "2026-05-02T02:15:00Z"),
    ],
    keep: { daily: 4 },
    now: "2026-05-02T12:00:00Z",
  },
  {
    name: "several-a-day",
    sets: every(4 * HOUR_MS, "2026-05-01T00:00:00Z", "2026-05-03T20:00:00Z"),
    keep: { last: 3, daily: 2 },
    now: "2026-05-03T21:00:00Z",
  },
  {
    name: "sets-of-the-future",
    sets: [
      ...every(DAY_MS, "2026-05-01T02:15:00Z", "2026-05-05T02:15:00Z"),
      on("2026-05-05T12:04:00Z"),
      on("2026-05-05T12:06:00Z"),
      on("2027-05-05T02:15:00Z", { isProven: true }),
    ],
    keep: { daily: 2 },
    now: "2026-05-05T12:00:00Z",
  },
  {
    name: "the-clock-went-back-a-year",
    sets: every(DAY_MS, "2026-05-01T02:15:00Z", "2026-05-05T02:15:00Z"),
    keep: { last: 1 },
    now: "2025-05-05T12:00:00Z",
  },
  {
    name: "the-clock-went-on-ten-years",
    sets: every(DAY_MS, "2026-05-01T02:15:00Z", "2026-05-05T02:15:00Z"),
    keep: { last: 1, daily: 3 },
    now: "2036-05-05T12:00:00Z",
  },
  {
    name: "incomplete-sets-push-nothing-out",
    sets: [
      on("2026-04-20T02:15:00Z", { result: "incomplete" }),
      on("2026-04-21T02:15:00Z"),
      on("2026-05-03T02:15:00Z"),
      on("2026-05-04T02:15:00Z", { result: "incomplete" }),
      on("2026-05-05T02:15:00Z", { result: "incomplete" }),
    ],
    keep: { last: 1, daily: 1 },
    now: "2026-05-05T12:00:00Z",
  },
  {
    name: "the-last-that-was-proven",
    sets: every(DAY_MS, "2026-05-01T02:15:00Z", "2026-05-05T02:15:00Z").map((set, index) => ({
      ...set,
      isProven: index < 2,
    })),
    keep: { last: 2 },
    now: "2026-05-05T12:00:00Z",
  },
  {
    name: "without-rules",
    sets: [
      on("2020-05-01T02:15:00Z"),
      on("2020-05-02T02:15:00Z", { result: "incomplete" }),
      on("2026-05-01T02:15:00Z"),
    ],
    keep: undefined,
    now: "2026-05-05T12:00:00Z",
  },
  {
    name: "incomplete-ones-only",
    sets: [
      on("2026-04-01T02:15:00Z", { result: "incomplete" }),
      on("2026-05-01T02:15:00Z", { result: "incomplete" }),
    ],
    keep: { last: 1 },
    now: "2026-05-05T12:00:00Z",
  },
];

describe("the golden file", () => {
  test.each(CASES)("$name", async ({ name, sets, keep, now, timeZone = "UTC" }) => {
    const decisions = planRetention(fill(sets), { keep, timeZone, now: new Date(now) });
    const lines = [
      `keep ${JSON.stringify(keep)}, ${timeZone}, now ${now}`,
      ...decisions.map(
        (one) => `${one.keep ? "keep  " : "remove"} ${one.setId}  ${one.reasons.join(", ")}`,
      ),
    ];
    const file = path.join(import.meta.dirname, "retention", `${name}.txt`);
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(file);
  });
});

const NOW = Date.parse("2026-03-01T12:00:00Z");
const ZONES = ["UTC", "Europe/Dublin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata"];

const someSets = fc
  .array(
    fc.record({
      at: fc.integer({ min: NOW - 900 * DAY_MS, max: NOW + 20 * DAY_MS }).map((at) => new Date(at)),
      result: fc.constantFrom("complete" as const, "complete" as const, "incomplete" as const),
      isProven: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map(fill);
const count = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined });
const someKeep = fc
  .record({ last: count, daily: count, weekly: count, monthly: count, yearly: count })
  .map(
    (keep) => Object.fromEntries(Object.entries(keep).filter(([, value]) => value)) as KeepConfig,
  );
const someOptions = fc.record({
  keep: someKeep,
  timeZone: fc.constantFrom(...ZONES),
  now: fc.integer({ min: NOW - 10 * DAY_MS, max: NOW + 10 * DAY_MS }).map((at) => new Date(at)),
});

const removedOf = (sets: readonly Kept[], options: Parameters<typeof planRetention>[1]): string[] =>
  planRetention(sets, options)
    .filter(({ keep }) => !keep)
    .map(({ setId }) => setId)
    .toSorted();

/** Says the same in another way: days are counted, weeks are seven of them from a Monday, and each set is looked at for itself. */
function removedByOracle(
  sets: readonly Kept[],
  { keep, timeZone, now }: { keep: KeepConfig; timeZone: string; now: Date },
): string[] {
  const limit = now.getTime() + 5 * 60_000;
  const later = (one: Kept, other: Kept): boolean =>
    one.at.getTime() === other.at.getTime() ? one.setId > other.setId : one.at > other.at;
  const counted = sets.filter((set) => set.result === "complete" && set.at.getTime() <= limit);
  const dayOf = ({ at }: Kept): number =>
    Date.parse(`${at.toLocaleDateString("sv-SE", { timeZone })}T00:00:00Z`) / DAY_MS;
  const periods: Record<string, (set: Kept) => number> = {
    last: (set) => -sets.indexOf(set),
    daily: dayOf,
    // 5 January 1970 was a Monday.
    weekly: (set) => Math.floor((dayOf(set) - 4) / 7),
    monthly: (set) => {
      const day = new Date(dayOf(set) * DAY_MS);
      return day.getUTCFullYear() * 12 + day.getUTCMonth();
    },
    yearly: (set) => new Date(dayOf(set) * DAY_MS).getUTCFullYear(),
  };
  const isKept = (set: Kept): boolean => {
    if (set.at.getTime() > limit) return true;
    if (set.result === "incomplete") return now.getTime() - set.at.getTime() < 14 * DAY_MS;
    const after = counted.filter((other) => later(other, set));
    if (after.length === 0) return true;
    if (set.isProven && !after.some(({ isProven }) => isProven)) return true;
    return Object.entries(keep).some(([rule, most]) => {
      const period = periods[rule];
      if (!period) return false;
      const newer = new Set(after.map(period));
      return !newer.has(period(set)) && newer.size < (most ?? 0);
    });
  };
  return sets
    .filter((set) => !isKept(set))
    .map(({ setId }) => setId)
    .toSorted();
}

describe("whatever the sets and the rules", () => {
  test("what is removed is what an oracle says", () => {
    fc.assert(
      fc.property(someSets, someOptions, (sets, options) => {
        expect(removedOf(sets, options)).toEqual(removedByOracle(sets, options));
      }),
      { numRuns: 300 },
    );
  });

  test("the order of the sets is of no matter, and each has a reason", () => {
    fc.assert(
      fc.property(someSets, someOptions, (sets, options) => {
        const decisions = planRetention(sets, options);
        expect(planRetention(sets.toReversed(), options)).toEqual(decisions);
        expect(decisions.every(({ reasons }) => reasons.length > 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("a clock that is put back removes nothing that would not have been removed", () => {
    fc.assert(
      fc.property(someSets, someOptions, fc.nat(800), (sets, options, days) => {
        const before = { ...options, now: new Date(options.now.getTime() - days * DAY_MS) };
        expect(removedOf(sets, options)).toEqual(expect.arrayContaining(removedOf(sets, before)));
      }),
      { numRuns: 200 },
    );
  });

  test("what a kept set has parts of is kept, whatever the order of their times, and nothing else more", () => {
    const links = fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 60 });
    fc.assert(
      fc.property(someSets, someOptions, links, (sets, options, pairs) => {
        const nameAt = (at: number): string => sets[at % sets.length]?.setId ?? "";
        const linked = sets.map((set) => ({
          ...set,
          refersTo: pairs.flatMap(([from, to]) => (nameAt(from) === set.setId ? nameAt(to) : [])),
        }));
        const without = new Set(removedOf(sets, options));
        const needed = new Set(
          sets.map(({ setId }) => setId).filter((setId) => !without.has(setId)),
        );
        for (const setId of needed)
          for (const other of linked.find((set) => set.setId === setId)?.refersTo ?? [])
            needed.add(other);
        expect(removedOf(linked, options)).toEqual(
          [...without].filter((setId) => !needed.has(setId)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("without the rules nothing is removed", () => {
    fc.assert(
      fc.property(someSets, someOptions, (sets, options) => {
        expect(removedOf(sets, { ...options, keep: undefined })).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
