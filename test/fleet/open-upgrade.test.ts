import { describe, expect, test } from "vitest";
import type { PlannedHost } from "../../src/fleet/gather-plans.ts";
import { openUpgrade } from "../../src/fleet/open-upgrade.ts";
import type { UpgradeRun, UpgradeState } from "../../src/fleet/upgrade-state.ts";

const NAMES = Array.from({ length: 8 }, (_, index) => `api-${index + 1}`);
const planned = NAMES.map((label): PlannedHost => ({
  label,
  host: { name: label, sources: ["config"], role: "api", region: "us-west-2" },
  plan: {
    packages: ["openssl"],
    held: [],
    freeKb: {},
    locks: [],
    wantsReboot: false,
    failedUnits: [],
  },
}));
const runOf = (states: Partial<Record<string, UpgradeState>>): UpgradeRun => ({
  id: "upgrade-1",
  selectors: [],
  hosts: Object.fromEntries(
    NAMES.map((name) => [
      name,
      { state: states[name] ?? "untried", attempt: states[name] ? 1 : 0 },
    ]),
  ),
});
const open = (last: UpgradeRun | undefined, hosts = planned) =>
  openUpgrade(hosts, {
    last,
    selectors: [],
    configPath: "",
    reboots: false,
    isProduction: () => false,
  });

describe("an upgrade that is gone on with", () => {
  test("first follows what an earlier lcops has begun, with nothing else of its role beside it", () => {
    const { waves } = open(runOf({ "api-1": "done", "api-4": "begun", "api-5": "unknown" }));
    expect(waves[0]).toEqual({ isCanary: false, hosts: ["api-4", "api-5"] });
    expect(waves.slice(1).flatMap(({ hosts }) => hosts)).toEqual(
      NAMES.filter((name) => name !== "api-4" && name !== "api-5"),
    );
  });

  test("has what was begun for canaries as long as nothing is known to be well", () => {
    expect(open(runOf({ "api-1": "begun" })).waves[0]).toEqual({
      isCanary: true,
      hosts: ["api-1"],
    });
  });

  test("follows one that cannot be planned", () => {
    const [first, ...others] = planned;
    const unreached: PlannedHost = { ...(first as PlannedHost), unreached: "refused" };
    delete (unreached as { plan?: object }).plan;
    const { chosen } = open(runOf({ "api-1": "begun" }), [unreached, ...others]);
    expect(chosen).toContain(unreached);
  });

  test("has no wave to follow where nothing was begun", () => {
    expect(open(undefined).waves).toEqual(open(runOf({})).waves);
  });
});
