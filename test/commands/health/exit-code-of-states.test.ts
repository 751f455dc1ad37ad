import { expect, test } from "vitest";
import { exitCodeOfStates } from "../../../src/commands/health/exit-code-of-states.ts";
import type { HealthState } from "../../../src/system/reading.ts";

test.each<[HealthState[], number]>([
  [["ok", "ok"], 0],
  [["ok", "unknown"], 3],
  [["ok", "unmonitored"], 3],
  [["unknown", "warn"], 4],
  [["unknown", "ok", "fail"], 4],
  // Without a question there is no answer.
  [[], 3],
])("the states %j end with %i", (states, code) => {
  expect(exitCodeOfStates(states)).toBe(code);
});
