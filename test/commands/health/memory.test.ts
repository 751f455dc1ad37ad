import { expect, test } from "vitest";
import {
  fileOf,
  type HealthMemory,
  keyOf,
  remember,
  sinceOf,
} from "../../../src/commands/health/memory.ts";
import type { HealthState, Reading } from "../../../src/system/reading.ts";

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

test("each configuration has a file of its own, which does not tell its path", () => {
  const [one, other] = [fileOf("/state", "/a.json"), fileOf("/state", "/b.json")];
  expect(one).toMatch(/^\/state\/health\/[0-9a-f]{16}\.json$/);
  expect(other).not.toBe(one);
  expect(fileOf("/state", "/a.json", "-told")).toBe(one.replace(".json", "-told.json"));
  expect(keyOf(reading("ok"))).toBe("disk api:/");
});
