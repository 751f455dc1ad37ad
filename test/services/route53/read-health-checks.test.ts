import { expect, test } from "vitest";
import { judgeCheck } from "../../../src/services/route53/read-health-checks.ts";
import type { HealthState } from "../../../src/system/reading.ts";

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
