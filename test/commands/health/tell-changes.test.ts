/** What is told of how everything is, and when it is told again. */
import { expect, test } from "vitest";
import type { ShownReading } from "../../../src/commands/health/describe-readings.ts";
import { findChanges, type Told } from "../../../src/commands/health/tell-changes.ts";
import type { HealthState } from "../../../src/system/reading.ts";

const DAY_MS = 86_400_000;
const START = Date.parse("2026-11-26T02:00:00Z");

function look(states: Record<string, HealthState>): ShownReading[] {
  const at = new Date(START).toISOString();
  return Object.entries(states).map(([name, state]) => ({
    area: "host",
    name,
    state,
    detail: "",
    since: at,
    seenAt: at,
  }));
}

/** Looks again and again, a day apart, and returns what is told each time. */
function tellAll(looks: Record<string, HealthState>[]): string[] {
  let told: Told = {};
  return looks.map((states, day) => {
    const { worse, better, next } = findChanges(told, look(states), new Date(START + day * DAY_MS));
    told = next;
    return [
      ...worse.map(({ name, state }) => `${name} ${state}`),
      ...better.map(({ name }) => `${name} well`),
    ].join(", ");
  });
}

test("what is not well is told once, what gets worse again, and that it is well", () => {
  expect(
    tellAll([
      { a: "ok", b: "warn" },
      { a: "fail", b: "warn" },
      { a: "fail", b: "fail" },
      { a: "fail", b: "warn" },
      { a: "ok", b: "ok" },
      { a: "ok", b: "ok" },
    ]),
  ).toEqual(["b warn", "a fail", "b fail", "", "a well, b well", ""]);
});

test("what nobody knows is told, and makes nothing better", () => {
  expect(
    tellAll([{ a: "unknown" }, { a: "fail" }, { a: "unknown" }, { a: "fail" }, { a: "ok" }]),
  ).toEqual(["a unknown", "a fail", "", "", "a well"]);
});

test("what its watcher was told to leave is not told of, but that trouble is over", () => {
  expect(tellAll([{ a: "unmonitored" }, { a: "fail" }, { a: "unmonitored" }])).toEqual([
    "",
    "a fail",
    "a well",
  ]);
});

test("what is not looked at stays as it was told, for a month", () => {
  expect(tellAll([{ a: "fail" }, {}, { a: "fail" }])).toEqual(["a fail", "", ""]);
  const month = Array.from({ length: 31 }, () => ({}));
  expect(tellAll([{ a: "fail" }, ...month, { a: "fail" }]).at(-1)).toBe("a fail");
});
