import { expect, test } from "vitest";
import { judgeService } from "../../../src/commands/machine/check-services.ts";

const STATUS = { name: "web", state: "on", pending: null, partly: false, detail: null } as const;

test.each(["on", "off", "starting"] as const)("finds nothing wrong with a service: %s", (state) => {
  const finding = judgeService({ ...STATUS, state });
  expect(finding).toEqual({
    area: "machine",
    name: "web",
    state: "ok",
    detail: { on: "ON", off: "OFF", starting: "STARTING" }[state],
  });
});

test.each([
  [{ state: "failed", detail: "exit-code" }, "FAILED: exit-code"],
  [{ state: "unknown" }, "unknown"],
  [{ state: "not installed" }, "not installed"],
  [{ pending: "off", detail: "disabled" }, "ON, restart pending: disabled"],
  [{ partly: true, detail: "OFF in PHP 8.2 fpm" }, "ON in part: OFF in PHP 8.2 fpm"],
] as const)("warns of %j", (more, detail) => {
  expect(judgeService({ ...STATUS, ...more })).toMatchObject({
    state: "warn",
    detail,
    next: "see lcops machine status, and workstation.services",
  });
});
