import { expect, test } from "vitest";
import { describeState } from "../../../src/commands/machine/describe-state.ts";
import type { ServiceStatus } from "../../../src/workstation/open-services.ts";

test.each<[ServiceStatus["state"], ServiceStatus["pending"], boolean, string]>([
  ["on", null, false, "ON"],
  ["off", null, false, "OFF"],
  ["failed", null, false, "FAILED"],
  ["starting", null, false, "STARTING"],
  ["not installed", null, false, "not installed"],
  ["unknown", null, false, "unknown"],
  ["on", "off", false, "ON, restart pending"],
  ["off", null, true, "OFF in part"],
  ["on", "off", true, "ON in part"],
])("shows %s, pending %s, partly %s", (state, pending, partly, shown) => {
  expect(describeState({ state, pending, partly })).toBe(shown);
});
