import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  observeModule,
  planModules,
  type ServedModule,
} from "../../src/workstation/loaded-module.ts";
import type { Observation } from "../../src/workstation/machine-service.ts";
import { makeServer } from "../support/machine-tools.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

/** This process has its own program loaded, and no library of the second name. */
const LOADED = path.basename(process.execPath);
const UNLOADED = "no-such-library.so";

let programs: ScriptedPrograms;
let log: string;
beforeAll(() => {
  programs = makePrograms();
  log = path.join(programs.folder, "log");
  for (const name of ["enable", "disable", "check", "restart"])
    programs.write(name, `echo ${name} "$@" >> ${log}; [ ! -e ${log}-no-${name} ]`);
});
beforeEach(() => rmSync(log, { force: true }));
afterAll(() => programs.remove());

function makeModule(
  name: string,
  { library = UNLOADED, isEnabled = false, server = { state: "off" } as Observation } = {},
): ServedModule {
  const link = path.join(programs.folder, `${name}.ini`);
  rmSync(link, { force: true });
  if (isEnabled) symlinkSync("/nowhere", link);
  return {
    module: {
      library,
      link,
      mark: path.join(programs.folder, `${name}.mark`),
      enable: ["enable", name],
      disable: ["disable", name],
      test: ["check", name],
    },
    serverName: "web",
    server: makeServer(server, ["restart", name]),
  };
}

const RUNNING: Observation = { state: "on", pid: process.pid };

describe("a module", () => {
  test("is as it is configured where its server does not run", async () => {
    const detail = "web is not running";
    expect(await observeModule(makeModule("a"))).toEqual({ state: "off", detail });
    expect(await observeModule(makeModule("a", { isEnabled: true }))).toEqual({
      state: "on",
      detail,
    });
  });

  test("is as it is configured where the process is not known", async () => {
    const server: Observation = { state: "on" };
    expect(await observeModule(makeModule("a", { isEnabled: true, server }))).toEqual({
      state: "on",
      detail: "as configured; the process of web is not known",
    });
  });

  test.each<[string, boolean, object]>([
    [LOADED, true, { state: "on" }],
    [UNLOADED, false, { state: "off" }],
    [
      LOADED,
      false,
      { state: "on", pending: "off", detail: "disabled, and web still has it loaded" },
    ],
    [
      UNLOADED,
      true,
      { state: "on", pending: "on", detail: "enabled, and web has not loaded it yet" },
    ],
  ])("is what the process has loaded: %s, enabled: %s", async (library, isEnabled, seen) => {
    const served = makeModule("a", { library, isEnabled, server: RUNNING });
    expect(await observeModule(served)).toEqual(seen);
  });
});

const linesOf = async (all: ServedModule[], to: "on" | "off") =>
  (await planModules(all, to, programs.environment)).lines;

describe("the plan of modules", () => {
  test("configures, tests and restarts, all of each before the next", async () => {
    const all = [makeModule("a", { server: RUNNING }), makeModule("b", { server: RUNNING })];
    const plan = await planModules(all, "on", programs.environment);
    expect(plan).toMatchObject({ danger: "writes", undo: "disable a; disable b" });
    expect(plan.lines).toEqual([
      "enable a",
      "enable b",
      "check a",
      "check b",
      "restart a",
      "restart b",
    ]);
  });

  test("leaves alone what is so already", async () => {
    const all = [
      makeModule("a", { server: RUNNING }),
      makeModule("b", { library: LOADED, isEnabled: true, server: RUNNING }),
    ];
    expect(await linesOf(all, "off")).toEqual(["disable b", "check b", "restart b"]);
  });

  test("restarts alone where the configuration is so already", async () => {
    const served = makeModule("a", { isEnabled: true, server: RUNNING });
    expect(await linesOf([served], "on")).toEqual(["check a", "restart a"]);
  });

  test("restarts nothing that does not run", async () => {
    expect(await linesOf([makeModule("a")], "on")).toEqual(["enable a"]);
  });
});

describe("a change of modules", () => {
  const done = (): string[] => readFileSync(log, "utf8").trim().split("\n");
  const run = async (all: ServedModule[], to: "on" | "off") =>
    (await planModules(all, to, programs.environment)).run();

  test("that a server refuses is taken back without a restart", async () => {
    writeFileSync(`${log}-no-check`, "");
    const all = [makeModule("a", { server: RUNNING }), makeModule("b", { server: RUNNING })];
    await expect(run(all, "on")).rejects.toThrow("check a ended with 1; it was taken back");
    rmSync(`${log}-no-check`);
    expect(done()).toEqual(["enable a", "enable b", "check a", "disable a", "disable b"]);
  });

  test("whose restart fails restarts what was restarted once more", async () => {
    writeFileSync(`${log}-no-restart`, "");
    const all = [makeModule("a", { server: RUNNING }), makeModule("b", { server: RUNNING })];
    await expect(run(all, "on")).rejects.toThrow(/^restart a ended with 1; taking it back failed/);
    rmSync(`${log}-no-restart`);
    expect(done().slice(4)).toEqual(["restart a", "disable a", "disable b", "restart a"]);
  });

  test("that the server has not loaded is taken back", async () => {
    await expect(run([makeModule("a", { server: RUNNING })], "on")).rejects.toThrow(
      `web was restarted and has not loaded ${UNLOADED}; it was taken back`,
    );
    expect(done()).toEqual(["enable a", "check a", "restart a", "disable a", "restart a"]);
  });

  test("that the server still has loaded is taken back", async () => {
    const served = makeModule("a", { library: LOADED, isEnabled: true, server: RUNNING });
    await expect(run([served], "off")).rejects.toThrow(
      `web was restarted and still has ${LOADED} loaded; it was taken back`,
    );
  });

  test("whose server does not stay is taken back", async () => {
    const served = makeModule("a", { server: RUNNING });
    const states: Observation[] = [RUNNING, RUNNING, { state: "failed", detail: "exit-code" }];
    let looks = 0;
    const server = {
      ...served.server,
      observe: () => Promise.resolve(states[Math.min(looks++, states.length - 1)] ?? RUNNING),
    };
    await expect(run([{ ...served, server }], "on")).rejects.toThrow(
      "web was restarted and does not run: exit-code; it was taken back",
    );
  });
});
