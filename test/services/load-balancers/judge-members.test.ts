import { expect, test } from "vitest";
import { judgeMembers } from "../../../src/services/load-balancers/judge-members.ts";
import type { HealthState } from "../../../src/system/reading.ts";

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
