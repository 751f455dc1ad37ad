import { describe, expect, test } from "vitest";
import {
  describeObstacles,
  heedAlarms,
  judgeAlarms,
} from "../../../src/commands/fleet/heed-alarms.ts";
import type { Config } from "../../../src/config/schema.ts";
import type { HealthState } from "../../../src/system/reading.ts";
import { makeFakeContext } from "../../support/fake-context.ts";
import { nameHost } from "../../support/planned-hosts.ts";

const PLACE = "prod eu-west-1";
const answered = (alarms: Record<string, HealthState>, isKnown = true) => ({
  scope: { environments: ["prod"] },
  source: { name: PLACE },
  isKnown,
  readings: Object.entries(alarms).map(([name, state]) => ({
    area: "alarm",
    name: `${PLACE}/${name}`,
    state,
    detail: state === "ok" ? "OK" : state.toUpperCase(),
  })),
});
const heed = (...alarms: string[]) => [{ environment: "prod", alarms }];

describe("judgeAlarms", () => {
  test("finds alarms by their names, and by patterns", () => {
    const found = answered({ "api-5xx": "ok", "api-latency": "ok", other: "fail" });
    expect(judgeAlarms(heed("api-*"), [found])).toEqual({
      ok: [`${PLACE}/api-5xx`, `${PLACE}/api-latency`],
      obstacles: [],
    });
  });

  test.each<[HealthState, boolean]>([
    ["ok", true],
    ["unmonitored", true],
    ["warn", false],
    ["fail", false],
    ["unknown", false],
  ])("lets an upgrade go on while an alarm is %s: %s", (state, isWell) => {
    const { ok, obstacles } = judgeAlarms(heed("x"), [answered({ x: state })]);
    expect([ok.length, obstacles.length]).toEqual(isWell ? [1, 0] : [0, 1]);
    if (!isWell) expect(obstacles[0]).toBe(`alarm ${PLACE}/x says ${state.toUpperCase()}`);
  });

  test("is stopped by a name that no alarm has, and by an environment of no region", () => {
    const obstacles = ["no alarm of prod is called x"];
    expect(judgeAlarms(heed("x"), [answered({ y: "ok" })])).toEqual({ ok: [], obstacles });
    expect(judgeAlarms(heed("x"), [])).toEqual({ ok: [], obstacles });
  });

  test("is stopped by a region that does not answer, which is told once", () => {
    const silent = answered({ x: "unknown" }, false);
    const { ok, obstacles } = judgeAlarms(heed("x", "y"), [silent]);
    expect(ok).toEqual([]);
    expect(obstacles).toEqual([`the alarms of ${PLACE} are not known: UNKNOWN`]);
  });

  test("heeds no alarm of another environment", () => {
    const other = { ...answered({ x: "fail" }), scope: { environments: ["dev"] } };
    expect(judgeAlarms(heed("x"), [answered({ x: "ok" }), other]).obstacles).toEqual([]);
  });
});

test("obstacles are told by the first, and how many more there are", () => {
  expect(describeObstacles(undefined)).toBeUndefined();
  expect(describeObstacles({ ok: ["x"], obstacles: [] })).toBeUndefined();
  expect(describeObstacles({ ok: [], obstacles: ["a"] })).toBe("a");
  expect(describeObstacles({ ok: [], obstacles: ["a", "b", "c"] })).toBe("a, and 2 more");
});

describe("heedAlarms", () => {
  const config: Config = {
    environments: {
      dev: { aws: { regions: ["us-west-2"] } },
      prod: { aws: { regions: ["eu-west-1"], alarms: ["api-*"] } },
    },
  };
  const isHeeded = async (environment?: string, flag?: string): Promise<boolean> => {
    const { context } = makeFakeContext({
      config: () => Promise.resolve(config),
      scopeWishes: { region: "us-west-2", ...(flag !== undefined && { environment: flag }) },
    });
    return (await heedAlarms([nameHost("a", environment)], context)) !== undefined;
  };

  test.each<[string | undefined, string | undefined, boolean]>([
    ["prod", undefined, true],
    ["dev", undefined, false],
    // It may be of any.
    [undefined, undefined, true],
    ["unknown-to-us", undefined, true],
    [undefined, "dev", false],
    [undefined, "prod", true],
  ])("for a host of %s with --env %s: %s", async (environment, flag, expected) => {
    expect(await isHeeded(environment, flag)).toBe(expected);
  });
});
