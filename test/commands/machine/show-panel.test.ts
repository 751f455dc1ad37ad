import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawServices, planToggle, runPanelKey } from "../../../src/commands/machine/show-panel.ts";
import type { Config } from "../../support/known-config.ts";
import type { MachineServiceConfig } from "../../../src/config/workstation-schema.ts";
import type { Observation } from "../../../src/workstation/machine-service.ts";
import type { ServiceStatus } from "../../../src/workstation/open-services.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makeServer } from "../../support/machine-tools.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const WEB: MachineServiceConfig = { kind: "systemd", unit: "web" };
const RAM: MachineServiceConfig = { kind: "ram-mysql" };

describe("the key of a service", () => {
  const toggle = (seen: Observation, config: MachineServiceConfig = WEB, setting: Setting = {}) =>
    planToggle(
      { name: "web", key: "1", title: "Web", config, service: makeServer(seen) },
      { terminal: makeFakeTerminal(setting).terminal },
    );
  test.each<[string, Observation, "on" | "off"]>([
    ["off when it is on", { state: "on" }, "off"],
    ["off while it starts", { state: "starting" }, "off"],
    ["on when it is off", { state: "off" }, "on"],
    ["on when it has failed", { state: "failed" }, "on"],
    ["what is pending", { state: "on", pending: "on" }, "on"],
    ["what is pending, off too", { state: "on", pending: "off" }, "off"],
  ])("turns it %s", async (_what, seen, to) => {
    expect(await toggle(seen)).toEqual(["machine", to, "web", "--yes"]);
  });

  test("is a yes where somebody can be asked, unless data is lost", async () => {
    expect(await toggle({ state: "off" }, WEB, { stdin: false })).toEqual(["machine", "on", "web"]);
    expect(await toggle({ state: "off" }, RAM)).toEqual(["machine", "on", "web", "--yes"]);
    expect(await toggle({ state: "on" }, RAM)).toEqual(["machine", "off", "web"]);
  });
});

describe("the lines of services", () => {
  const rows = [{ key: "1", title: "Web \u001b[2J" }];
  const status = (more: Partial<ServiceStatus>): ServiceStatus => ({
    name: "web",
    key: "1",
    title: "Web",
    kind: "systemd",
    state: "on",
    pending: null,
    partly: false,
    detail: null,
    ...more,
  });
  const draw = (more?: Partial<ServiceStatus>) => {
    const [choice] = drawServices(rows, more && [status(more)], {
      err: makeFakeTerminal().terminal.err,
    }).choices;
    return [choice?.label, choice?.paint?.("x")];
  };
  const [GREEN, RED, YELLOW, DIM] = [32, 31, 33, 2].map(
    (code) => `\u001b[${code}mx\u001b[${code === 2 ? 22 : 39}m`,
  );

  test("have no state before the first look", () => {
    expect(draw()).toEqual(["Web \\x1b[2J = …", DIM]);
  });

  test.each<[Partial<ServiceStatus>, string, string | undefined]>([
    [{}, "ON", GREEN],
    [{ state: "off" }, "OFF", DIM],
    [{ state: "failed", detail: "exit-code" }, "FAILED, exit-code", RED],
    [{ state: "starting" }, "STARTING", YELLOW],
    [{ state: "unknown", detail: "why" }, "unknown, why", YELLOW],
    [{ pending: "off" }, "ON, restart pending", YELLOW],
    [{ partly: true, detail: "some" }, "ON in part, some", YELLOW],
  ])("show %j", (more, shown, paint) => {
    expect(draw(more)).toEqual([`Web \\x1b[2J = ${shown}`, paint]);
  });
});

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

describe("a key of the panel", () => {
  const own = {
    kind: "command" as const,
    key: "w",
    status: ["false"],
    on: ["true"],
    off: ["true"],
  };
  const app = { kind: "app" as const, run: ["true"], url: "http://a/", key: "go" };
  const config: Config = { workstation: { services: { own }, launches: { app } } };

  test("runs the command line that does the same, and shows it", async () => {
    const { context, err, ran } = makeMachineContext(programs, config, { flags: { color: false } });
    expect(await runPanelKey("W", context)).toBe(0);
    expect(await runPanelKey("go", context)).toBe(0);
    expect(ran).toEqual([
      ["machine", "on", "own", "--yes"],
      ["machine", "launch", "app"],
    ]);
    expect(err()).toBe("$ lcops machine on own --yes\n$ lcops machine launch app\n");
  });

  test("must be one of them", async () => {
    const { context, ran } = makeMachineContext(programs, config);
    await expect(runPanelKey("9", context)).rejects.toMatchObject({
      kind: "usage",
      message: "the panel has no key 9",
      next: "its keys are w go",
    });
    expect(ran).toEqual([]);
  });
});
