import { expect, test } from "vitest";
import { leaveUnderWay } from "../../../src/commands/fleet/plan-hosts.ts";
import { loseHost, planHost } from "../../support/planned-hosts.ts";

const host = planHost("api-1");

test("a host on which another run has begun is left out: no second job stands beside the first", () => {
  expect(leaveUnderWay(host, { id: "upgrade-1" }, { id: "upgrade-2" })).toMatchObject({
    plan: {
      blocked:
        "upgrade-1 was begun there and may be under way; lcops fleet upgrade --resume follows it",
    },
  });
  expect(leaveUnderWay(host, { id: "upgrade-1" }, undefined)).toMatchObject({
    plan: { blocked: expect.any(String) as string },
  });
});

test("a host is not left out by the run that is gone on with, by none, or where it is not reached", () => {
  expect(leaveUnderWay(host, { id: "upgrade-1" }, { id: "upgrade-1" })).toBe(host);
  expect(leaveUnderWay(host, undefined, undefined)).toBe(host);
  const lost = loseHost("api-1");
  expect(leaveUnderWay(lost, { id: "upgrade-1" }, undefined)).toBe(lost);
});
