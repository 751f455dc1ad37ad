import { expect, test } from "vitest";
import { parseDf, parseDfComplaints } from "../../../src/commands/health/parse-df.ts";
import { type DiskSample, predictFull } from "../../../src/commands/health/predict-full.ts";
import { exitCodeOfStates } from "../../../src/commands/health/exit-code-of-states.ts";
import { type HealthMemory, remember, sinceOf } from "../../../src/commands/health/memory.ts";
import { judgeInstance } from "../../../src/inventory/instance-status.ts";
import { judgeMembers } from "../../../src/services/load-balancers/judge-members.ts";
import { judgeReplica } from "../../../src/services/mysql/read-health.ts";
import { judgeCheck } from "../../../src/services/route53/read-health-checks.ts";
import type { HealthState, Reading } from "../../../src/system/reading.ts";

const GB = 1e9;
const DAY = 86_400_000;

test.each<[HealthState[], number]>([
  [["ok", "ok"], 0],
  [["ok", "unknown"], 3],
  [["ok", "unmonitored"], 3],
  [["unknown", "warn"], 4],
  [["unknown", "ok", "fail"], 4],
  // Who has asked nobody knows nothing.
  [[], 3],
])("of %j the exit code is %i", (states, code) => {
  expect(exitCodeOfStates(states)).toBe(code);
});

test("of df's complaints those are told that hide a disk", () => {
  const text = [
    "df: /mnt/gone: Stale file handle",
    "df: '/data': Input/output error",
    "df: /root/secret: Permission denied",
    "df: /run/user/1000/doc: Operation not permitted",
  ].join("\n");
  expect(parseDfComplaints(text)).toEqual([
    { mount: "/mnt/gone", why: "df: Stale file handle" },
    { mount: "/data", why: "df: Input/output error" },
  ]);
});

test("of df's lines those of disks are read, a device once, whatever they are called", () => {
  const text = [
    "Filesystem         1024-blocks      Used Available Capacity Mounted on",
    "udev                   4000000         0   4000000       0% /dev",
    "tmpfs                   800000       900    799100       1% /run",
    "/dev/nvme0n1p1        40000000   1000000  36967232       3% /",
    "/dev/nvme0n1p1        40000000   1000000  36967232       3% /var/lib/docker/bind",
    "/dev/mapper/a b       20000000  19000000         0     100% /srv/with space",
    "/dev/loop3               56000     56000         0     100% /snap/core/1",
    "overlay               10000000   5000000   5000000      50% /",
    "host:/export/home    100000000  50000000  50000000      50% /home",
    "df: /mnt/gone: Stale file handle",
  ].join("\n");
  expect(parseDf(text)).toEqual([
    { device: "/dev/nvme0n1p1", mount: "/", usedBytes: 1_024_000_000, totalBytes: 38_878_445_568 },
    {
      device: "/dev/mapper/a b",
      mount: "/srv/with space",
      usedBytes: 19_456_000_000,
      totalBytes: 19_456_000_000,
    },
    { device: "overlay", mount: "/", usedBytes: 5_120_000_000, totalBytes: 10_240_000_000 },
    {
      device: "host:/export/home",
      mount: "/home",
      usedBytes: 51_200_000_000,
      totalBytes: 102_400_000_000,
    },
  ]);
});

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

const NONE: HealthMemory = { states: {}, disks: {} };
const reading = (state: HealthState, more: Partial<Reading> = {}): Reading => ({
  area: "disk",
  name: "api:/",
  state,
  detail: "",
  ...more,
});

test("a state has the age of the run that saw it first, and what a source knows itself goes before", () => {
  const [first, second, third] = [0, 1, 2].map((hour) => new Date(hour * 3_600_000));
  if (!first || !second || !third) throw new Error("three");
  let memory = remember(NONE, [reading("ok")], first);
  memory = remember(memory, [reading("ok")], second);
  expect(sinceOf(memory, reading("ok"), third)).toBe(first.toISOString());
  expect(sinceOf(memory, reading("fail"), third)).toBe(third.toISOString());
  const since = "2014-01-01T00:00:00.000Z";
  expect(sinceOf(memory, reading("ok", { since }), third)).toBe(since);
});

test("samples of disks are hours apart, bounded, and forgotten with the disk", () => {
  let memory = NONE;
  const disk = { usedBytes: 1, totalBytes: 2 };
  for (let hour = 0; hour < 24 * 60; hour++)
    memory = remember(memory, [reading("ok", { disk })], new Date(hour * 3_600_000));
  expect(memory.disks["disk api:/"]).toHaveLength(120);
  const later = new Date((24 * 60 + 24 * 31) * 3_600_000);
  expect(remember(memory, [], later)).toEqual(NONE);
});

test.each<[string, Parameters<typeof judgeReplica>[0], HealthState, RegExp]>([
  ["none", undefined, "fail", /no replica/],
  [
    "MariaDB's, late",
    { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: 61 },
    "warn",
    /^61 s behind$/,
  ],
  [
    "MySQL's, very late",
    { Replica_IO_Running: "Yes", Replica_SQL_Running: "Yes", Seconds_Behind_Source: 900 },
    "fail",
    /^900 s behind$/,
  ],
  [
    "one that does not connect",
    {
      Slave_IO_Running: "Connecting",
      Slave_SQL_Running: "Yes",
      Seconds_Behind_Master: null,
      Last_IO_Error: "error connecting",
    },
    "fail",
    /^reading has stopped: error connecting$/,
  ],
  [
    "one that stands still",
    {
      Slave_IO_Running: "Yes",
      Slave_SQL_Running: "No",
      Seconds_Behind_Master: null,
      Last_SQL_Errno: "1062",
      // Values of rows, and whole statements, stand in it.
      Last_SQL_Error:
        "Could not execute Write_rows_v1 event on table shop.users; Duplicate entry 'anna@example.com' for key 'email'",
    },
    "fail",
    /^applying has stopped: error 1062 in applying to shop\.users; its own SHOW REPLICA STATUS has the words$/,
  ],
  [
    "one that does not say",
    { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: null },
    "unknown",
    /does not say/,
  ],
])("a replica: %s", (_what, row, state, detail) => {
  expect(judgeReplica(row)).toEqual([state, expect.stringMatching(detail)]);
});

const member = (state: "well" | "unwell" | "unknown") => ({ name: "i-1", state, detail: state });
test.each<[("well" | "unwell" | "unknown")[], HealthState]>([
  [["well", "well"], "ok"],
  [["well", "unwell"], "warn"],
  [["unwell", "unwell"], "fail"],
  [["unwell", "unknown"], "fail"],
  [["well", "unknown"], "unknown"],
  [[], "unknown"],
])("behind a balancer %j is %s", (members, state) => {
  expect(judgeMembers("api", members.map(member)).state).toBe(state);
});

test.each<[string, Parameters<typeof judgeInstance>[0], HealthState, string]>([
  [
    "passes",
    { SystemStatus: { Status: "ok" }, InstanceStatus: { Status: "ok" } },
    "ok",
    "system ok, instance ok",
  ],
  [
    "is impaired",
    { SystemStatus: { Status: "ok" }, InstanceStatus: { Status: "impaired" } },
    "fail",
    "system ok, instance impaired",
  ],
  [
    "has just begun",
    { SystemStatus: { Status: "initializing" }, InstanceStatus: { Status: "initializing" } },
    "unknown",
    "system initializing, instance initializing",
  ],
  [
    "is to be retired",
    {
      SystemStatus: { Status: "ok" },
      InstanceStatus: { Status: "ok" },
      Events: [
        {
          Code: "instance-retirement",
          Description: "The instance is running on degraded hardware",
          NotBefore: new Date("2027-01-15T00:00:00Z"),
        },
      ],
    },
    "warn",
    "system ok, instance ok; instance-retirement on 2027-01-15",
  ],
  [
    "was rebooted as planned",
    {
      SystemStatus: { Status: "ok" },
      InstanceStatus: { Status: "ok" },
      Events: [{ Code: "system-reboot", Description: "[Completed] Scheduled reboot" }],
    },
    "ok",
    "system ok, instance ok",
  ],
])("an instance that %s", (_what, status, state, detail) => {
  expect(judgeInstance(status)).toEqual([state, detail]);
});

const seen = (...statuses: string[]) =>
  statuses.map((Status) => ({ StatusReport: { Status: `${Status}: HTTP` } }));
test.each<[string, object, string[], HealthState]>([
  ["all see it well", {}, ["Success", "Success"], "ok"],
  ["one does not", {}, ["Success", "Success", "Failure"], "warn"],
  [
    "18 % do",
    {},
    [...Array<string>(2).fill("Success"), ...Array<string>(10).fill("Failure")],
    "fail",
  ],
  ["none does, and it is inverted", { Inverted: true }, ["Failure"], "ok"],
  ["all do, and it is inverted", { Inverted: true }, ["Success"], "fail"],
  ["none has said anything", {}, [], "unknown"],
  ["it is disabled", { Disabled: true }, ["Success"], "unmonitored"],
])("a check of which %s", (_what, config, statuses, state) => {
  const check = { HealthCheckConfig: { Type: "HTTP" as const, ...config } };
  expect(judgeCheck("www", check, seen(...statuses)).state).toBe(state);
});
