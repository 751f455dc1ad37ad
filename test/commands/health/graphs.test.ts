import { expect, test } from "vitest";
import { describeReadings } from "../../../src/commands/health/describe-readings.ts";
import { fillTarget, makeGraph } from "../../../src/commands/health/graphs.ts";
import type { HealthMemory } from "../../../src/commands/health/memory.ts";
import type { DiskSample } from "../../../src/commands/health/predict-full.ts";
import type { MetricPoint } from "../../../src/services/graphite/render.ts";
import type { Reading } from "../../../src/system/reading.ts";

const DAY = 86_400_000;
const GB = 1e9;
const { signal } = new AbortController();

test.each([
  ["a.{host}.{mount}.used", "api-1", "/", "a.api-1.root.used"],
  ["a.{host}.df-{mount}", "api.eu", "/var/lib", "a.api_eu.df-{var-lib,var_lib,_var_lib}"],
  ["a.{host}.df-{mount}", "api", "/data", "a.api.df-{data,_data}"],
  ["a.{host}.{mount}", "api", "/a,b}/c d", "a.api.{a_b_-c_d,a_b__c_d,_a_b__c_d}"],
  ["a.{host}.used", "api", "/", "a.api.used"],
  ["a.{host}.used", "api", "/data", undefined],
])("%s of %s:%s is %s", (target, host, mount, filled) => {
  expect(fillTarget(target, host, mount)).toBe(filled);
});

const disk = (name: string, usedBytes: number, totalBytes = 40 * GB): Reading => ({
  area: "disk",
  name,
  state: "ok",
  detail: "",
  disk: { usedBytes, totalBytes },
});
const HOSTS = [{ name: "api" }, { name: "api-2" }];
/** It has risen to `used` by 1 GB a day. */
const rising = (used: number, days: number, nowMs = Date.now()): MetricPoint[] =>
  Array.from({ length: days + 1 }, (_, index) => [
    nowMs - (days - index) * DAY,
    used - (days - index) * GB,
  ]);

test("the disks of each host are asked for at once, and known by their readings", async () => {
  const asked: string[] = [];
  const graph = makeGraph("stats", { diskUsed: "s.{host}.{mount}" }, HOSTS, async (targets) => {
    asked.push(...targets);
    return [rising(10 * GB, 5), [], rising(20 * GB, 5)];
  });
  const readings = [
    disk("api:/", 10 * GB),
    disk("api:/data", 10 * GB),
    { area: "disk", name: "api:/gone", state: "unknown" as const, detail: "" },
    disk("api-2:/", 20 * GB),
    disk("another:/", 20 * GB),
  ];
  const found = await graph.readDisks(readings, signal);
  expect(asked).toEqual(["s.api.root", "s.api.{data,_data}", "s.api-2.root"]);
  expect([...found.keys()]).toEqual(["disk api:/", "disk api-2:/"]);
});

test.each<[string, object, MetricPoint[], boolean]>([
  [
    "what is free",
    { diskFree: "s.{host}.{mount}" },
    rising(10 * GB, 5).map(([at, used]) => [at, 40 * GB - (used ?? 0)]),
    true,
  ],
  [
    "percents",
    { diskUsed: "s.{host}.{mount}" },
    rising(10 * GB, 5).map(([at, used]) => [at, (used ?? 0) / GB]),
    false,
  ],
  ["another disk", { diskUsed: "s.{host}.{mount}" }, rising(30 * GB, 5), false],
  [
    "what ended days ago",
    { diskUsed: "s.{host}.{mount}" },
    rising(10 * GB, 5, Date.now() - 3 * DAY),
    false,
  ],
  ["gaps alone", { diskUsed: "s.{host}.{mount}" }, [[Date.now(), null]], false],
])("of %s it is known whether it is that disk's", async (_what, metrics, points, isKnown) => {
  const graph = makeGraph("stats", metrics, HOSTS, async () => [points]);
  const found = await graph.readDisks([disk("api:/", 10 * GB)], signal);
  expect(found.size).toBe(isKnown ? 1 : 0);
  for (const samples of found.values()) expect(samples.at(-1)?.[1]).toBeCloseTo(10 * GB, -3);
});

test("lines belong to each host, or to the service; one without values is not drawn", async () => {
  const lines = { load: "s.{host}.load", logins: "s.logins" };
  const point: MetricPoint[] = [[0, 1]];
  const graph = makeGraph("stats", { lines }, HOSTS, async (targets) => {
    expect(targets).toEqual(["s.api.load", "s.api-2.load", "s.logins"]);
    return [point, [], point];
  });
  expect([...(await graph.readLines(signal))]).toEqual([
    ["host api", [{ label: "load", points: point }]],
    ["graphite stats", [{ label: "logins", points: point }]],
  ]);
  const none = makeGraph("stats", {}, HOSTS, () => Promise.reject(new Error("it was asked")));
  expect(
    (await none.readLines(signal)).size + (await none.readDisks([disk("api:/", 1)], signal)).size,
  ).toBe(0);
});

const NOW = new Date("2027-01-11T00:00:00Z");
const samplesOf = (used: number, days: number, perDay: number): DiskSample[] =>
  Array.from({ length: days }, (_, index) => [
    NOW.getTime() - (days - index) * DAY,
    used - (days - index) * perDay,
  ]);
const remembering = (samples: DiskSample[]): HealthMemory => ({
  states: {},
  disks: { "disk api:/": samples },
});
const dayOf = (memory: HealthMemory, known: DiskSample[] = []): string | undefined =>
  describeReadings([disk("api:/", 10 * GB)], memory, new Map([["disk api:/", known]]), NOW)[0]
    ?.fullOn;

test("the day is told from what was seen here, or by Graphite where that knows days of it", () => {
  const own = remembering(samplesOf(10 * GB, 10, GB));
  expect(dayOf(own)).toBe("2027-02-10");
  expect(dayOf(remembering([]), samplesOf(10 * GB, 10, 2 * GB))).toBe("2027-01-26");
  expect(dayOf(own, samplesOf(10 * GB, 10, 2 * GB))).toBe("2027-01-26");
  expect(dayOf(own, samplesOf(10 * GB, 1, 2 * GB))).toBe("2027-02-10");
  // It knows better that it does not grow.
  expect(dayOf(own, samplesOf(10 * GB, 10, 0))).toBeUndefined();
  expect(dayOf(remembering([]))).toBeUndefined();
});

test("a disk that is full within a week is not well, however much is free today", () => {
  const soon = remembering(samplesOf(10 * GB, 5, 5 * GB));
  expect(describeReadings([disk("api:/", 10 * GB)], soon, new Map(), NOW)[0]).toMatchObject({
    state: "warn",
    fullOn: "2027-01-17",
  });
});
