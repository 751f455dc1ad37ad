import { describe, expect, test } from "vitest";
import { refuseLost, refuseObstacles } from "../../../src/commands/fleet/refuse-upgrade.ts";
import { tellFailure } from "../../support/fake-context.ts";
import { loseHost, planHost } from "../../support/planned-hosts.ts";

const HOSTS = [planHost("api-1"), loseHost("api-2"), loseHost("api-3")];

describe("an upgrade", () => {
  test("is done while no more hosts are lost than may be", () => {
    expect(() => refuseLost(HOSTS, 2)).not.toThrow();
    expect(() => refuseLost([planHost("a")], 0)).not.toThrow();
  });

  test("is refused where more are lost, each with its reason", async () => {
    expect(await tellFailure(() => refuseLost(HOSTS, 1))).toEqual({
      code: 5,
      stdout: "",
      stderr:
        "lcops: 2 hosts are not reached, and 1 may be lost; nothing was done; mend them, leave them out, or raise fleet.maxFailures\n  api-2: refused\n  api-3: refused\n",
    });
  });

  test("is refused while an alarm stands in the way, the others below", async () => {
    const obstacles = ["alarm x says ALARM", "no alarm of prod is called y"];
    const { code, stdout, stderr } = await tellFailure(() =>
      refuseObstacles({ ok: [], obstacles }),
    );
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toBe(
      "lcops: alarm x says ALARM, and 1 more; nothing was done; have all of them say OK, or take what need not out of the aws.alarms of its environment\n  no alarm of prod is called y\n",
    );
    expect(() => refuseObstacles({ ok: ["x"], obstacles: [] })).not.toThrow();
    expect(() => refuseObstacles(undefined)).not.toThrow();
  });
});
