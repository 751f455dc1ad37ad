import { describe, expect, test } from "vitest";
import type { Observation } from "../../src/workstation/machine-service.ts";
import {
  judgeStopped,
  judgeUnit,
  systemdService,
  sysvService,
} from "../../src/workstation/system-service.ts";
import { makeTools } from "../support/machine-tools.ts";

const ACTIVE = {
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "running",
  Result: "success",
  NeedDaemonReload: "no",
  MainPID: "0",
};

describe("a unit of systemd", () => {
  test.each<[string, Partial<typeof ACTIVE>, Observation]>([
    ["runs", { MainPID: "17" }, { state: "on", pid: 17 }],
    ["runs without a process of its own", {}, { state: "on" }],
    ["reloads", { ActiveState: "reloading", MainPID: "17" }, { state: "on", pid: 17 }],
    [
      "has changed since it runs",
      { NeedDaemonReload: "yes" },
      { state: "on", pending: "on", detail: "its unit has changed since" },
    ],
    [
      "starts again and again",
      { ActiveState: "activating", SubState: "auto-restart" },
      { state: "starting", detail: "auto-restart" },
    ],
    [
      "has failed",
      { ActiveState: "failed", Result: "exit-code" },
      { state: "failed", detail: "exit-code" },
    ],
    ["is being stopped", { ActiveState: "deactivating" }, { state: "on", detail: "stopping" }],
    ["is stopped", { ActiveState: "inactive" }, { state: "off" }],
    [
      "is masked",
      { LoadState: "masked", ActiveState: "inactive" },
      { state: "off", detail: "masked" },
    ],
    [
      "is not there",
      { LoadState: "not-found", ActiveState: "inactive" },
      { state: "not installed" },
    ],
  ])("%s", (_what, more, seen) => {
    const text = Object.entries({ ...ACTIVE, ...more }).map(
      ([name, value]) => `${name}=${value}\n`,
    );
    expect(judgeUnit(text.join(""))).toEqual(seen);
    // The order is that of systemd.
    expect(judgeUnit(text.toReversed().join(""))).toEqual(seen);
  });
});

describe("a script of /etc/init.d that does not run", () => {
  test.each<[number, string, string, Observation]>([
    [3, "it is stopped", "", { state: "off" }],
    [1, "", "dead, and its pid file\nis left\n", { state: "failed", detail: "is left" }],
    [2, "a lock is left\n", "", { state: "failed", detail: "a lock is left" }],
    [4, "", "", { state: "unknown", detail: "service web status ended with 4" }],
    [
      4,
      "what it is cannot be told\n",
      "",
      { state: "unknown", detail: "what it is cannot be told" },
    ],
  ])("ends with %i, and says %j %j", (code, stdout, stderr, seen) => {
    expect(judgeStopped("web", { code, stdout, stderr })).toEqual(seen);
  });

  test("is not installed where there is none", async () => {
    const service = sysvService("no-such-script", makeTools());
    expect(await service.observe()).toEqual({ state: "not installed" });
  });
});

test("starts, stops and restarts a script, and says what undoes it", async () => {
  const service = sysvService("web", makeTools());
  expect(await service.plan("on", { state: "off" })).toMatchObject({
    lines: ["service web start"],
    danger: "writes",
    undo: "lcops machine off",
  });
  expect(await service.plan("off", { state: "on" })).toMatchObject({
    lines: ["service web stop"],
    undo: "lcops machine on",
  });
  expect(service.restart).toEqual([["service", "web", "restart"]]);
});

test("names a unit with or without its ending", () => {
  const restarts = systemdService("web.service", makeTools()).restart;
  expect([
    [["systemctl", "restart", "web.service"]],
    [["service", "web", "restart"]],
  ]).toContainEqual(restarts);
});
