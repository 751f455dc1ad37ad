import { expect, test } from "vitest";
import { keepAnswer, keepSilence, readKept } from "../../../src/commands/health/keep-readings.ts";
import { OperatorError } from "../../../src/system/errors.ts";
import type { HealthState, Reading } from "../../../src/system/reading.ts";

const SOURCE = { area: "monit", name: "prod", everyMs: 10_000, limitMs: 5_000 };
const reading = (name: string, state: HealthState, detail = state as string): Reading => ({
  area: "monit",
  name,
  state,
  detail,
});
const show = (readings: readonly Reading[]): string[] =>
  readings.map(({ name, state, detail }) => `${state} ${name}: ${detail}`);
const WELL = keepAnswer(
  undefined,
  SOURCE,
  [reading("prod", "ok"), reading("prod/sshd", "warn")],
  0,
);

test("a source that is silent is unknown, with what it said last and a growing age", () => {
  const late = new OperatorError("unreachable", "no answer within 5 s", { next: "mend it" });
  const silent = keepSilence(WELL, SOURCE, late, 15_000);
  expect(show(readKept(silent, SOURCE, 20_000))).toEqual([
    "unknown prod: no answer within 5 s; 20 s ago ok: ok",
    "unknown prod/sshd: no answer within 5 s; 20 s ago warn: warn",
  ]);
  const still = keepSilence(silent, SOURCE, new Error("reset"), 110_000);
  const readings = readKept(still, SOURCE, 125_000);
  expect(show(readings)[0]).toBe("unknown prod: reset; 2 min ago ok: ok");
  expect(readings[0]?.seenAt).toBe(new Date(0).toISOString());
  expect(readKept(silent, SOURCE, 20_000)[0]?.next).toBe("mend it");
});

test("one that answers again is as it says, and what it has no more is gone", () => {
  const silent = keepSilence(WELL, SOURCE, new Error("reset"), 15_000);
  const again = keepAnswer(silent, SOURCE, [reading("prod", "ok")], 20_000);
  expect(show(readKept(again, SOURCE, 20_000))).toEqual(["ok prod: ok"]);
});

test("what a source that is down cannot tell of is unknown, not gone", () => {
  const down = keepAnswer(WELL, SOURCE, [reading("prod", "fail", "refused")], 12_000);
  expect(show(readKept(down, SOURCE, 12_000))).toEqual([
    "fail prod: refused",
    "unknown prod/sshd: monit prod is fail; 12 s ago warn: warn",
  ]);
  const longer = keepAnswer(down, SOURCE, [reading("prod", "fail", "refused")], 24_000);
  expect(show(readKept(longer, SOURCE, 24_000))[1]).toBe(
    "unknown prod/sshd: monit prod is fail; 24 s ago warn: warn",
  );
});

test("one that has never answered says why, and no more", () => {
  const silent = keepSilence(undefined, SOURCE, new Error("reset"), 0);
  expect(show(readKept(silent, SOURCE, 1))).toEqual(["unknown prod: reset"]);
  // What was unknown to itself is no news of before.
  const nothing = keepAnswer(undefined, SOURCE, [reading("prod", "unknown")], 0);
  expect(show(readKept(keepSilence(nothing, SOURCE, new Error("reset"), 9), SOURCE, 9))).toEqual([
    "unknown prod: reset",
  ]);
});

test("what nobody has looked at for too long is not green, whoever slept", () => {
  expect(show(readKept(WELL, SOURCE, 17_000))[0]).toBe("ok prod: ok");
  const [slept] = readKept(WELL, SOURCE, 17_001);
  expect(slept).toMatchObject({
    state: "unknown",
    detail: "not looked at any more; 17 s ago ok: ok",
    since: new Date(17_000).toISOString(),
  });
});
