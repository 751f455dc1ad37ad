import { expect, test } from "vitest";
import { judgeInstance } from "../../src/inventory/instance-status.ts";
import type { HealthState } from "../../src/system/reading.ts";

test.each<[string, Parameters<typeof judgeInstance>[0], HealthState, string]>([
  [
    "passes",
    { SystemStatus: { Status: "ok" }, InstanceStatus: { Status: "ok" } },
    "ok",
    "system ok, instance ok",
  ],
  [
    "is impaired",
    { SystemStatus: { Status: "ok" }, InstanceStatus: { Status: "impaired" } },
    "fail",
    "system ok, instance impaired",
  ],
  [
    "has just begun",
    { SystemStatus: { Status: "initializing" }, InstanceStatus: { Status: "initializing" } },
    "unknown",
    "system initializing, instance initializing",
  ],
  [
    "is to be retired",
    {
      SystemStatus: { Status: "ok" },
      InstanceStatus: { Status: "ok" },
      Events: [
        {
          Code: "instance-retirement",
          Description: "The instance is running on degraded hardware",
          NotBefore: new Date("2027-01-15T00:00:00Z"),
        },
      ],
    },
    "warn",
    "system ok, instance ok; instance-retirement on 2027-01-15",
  ],
  [
    "was rebooted as planned",
    {
      SystemStatus: { Status: "ok" },
      InstanceStatus: { Status: "ok" },
      Events: [{ Code: "system-reboot", Description: "[Completed] Scheduled reboot" }],
    },
    "ok",
    "system ok, instance ok",
  ],
])("an instance that %s", (_what, status, state, detail) => {
  expect(judgeInstance(status)).toEqual([state, detail]);
});
