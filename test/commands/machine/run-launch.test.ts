import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLaunch } from "../../../src/commands/machine/run-launch.ts";
import type { Config } from "../../../src/config/schema.ts";
import { takeKernelLock } from "../../../src/system/kernel-lock.ts";
import { startMarked } from "../../../src/system/marked-program.ts";
import { runsFolder } from "../../../src/workstation/run-folder.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import { makeRun, sampleScript, writeJmeter } from "../../support/scripted-jmeter.ts";

let programs: ScriptedPrograms;
let program: string;
beforeAll(() => {
  programs = makePrograms();
  program = writeJmeter(programs);
});
afterAll(() => programs.remove());

function make(launches: NonNullable<Config["workstation"]>["launches"]) {
  const made = makeMachineContext(
    programs,
    { workstation: { launches } },
    { stdout: false, stderr: false, flags: { verbose: true } },
  );
  return { ...made, context: { ...made.context, environment: {} } };
}
const testOf = () => {
  const { plan } = makeRun(programs, sampleScript(2));
  return { kind: "jmeter" as const, program, plan };
};

test("refuses a name that is not configured, and says which are", async () => {
  await expect(runLaunch("jx", make({ ja: testOf() }).context)).rejects.toMatchObject({
    kind: "usage",
    next: "name one of ja",
  });
  await expect(runLaunch("jx", make({}).context)).rejects.toMatchObject({
    next: "add it to workstation.launches",
  });
});

test("runs a launch in a folder of its own", async () => {
  const { context, out } = make({ ja: testOf() });
  expect(await runLaunch("ja", context)).toBe(0);
  expect(out()).toMatch(/^ja: passed, 2 samples/);
  expect(existsSync(runsFolder(context.folders.state, "ja"))).toBe(true);
});

test("refuses a launch that another lcops runs, and no other", async () => {
  const { context } = make({ ja: testOf(), jw: testOf() });
  const folder = path.join(context.folders.state, "machine");
  mkdirSync(folder, { recursive: true });
  const release = await takeKernelLock(path.join(folder, "launch-ja.lock"));
  try {
    await expect(runLaunch("ja", context)).rejects.toMatchObject({
      kind: "locked",
      message: "ja is launched already, by another lcops",
    });
    expect(await runLaunch("jw", context)).toBe(0);
  } finally {
    await release?.();
  }
});

test("ends what a killed lcops has left first, and says so", async () => {
  const { context, err } = make({ old: testOf() });
  const left = await startMarked("sleep", ["1000"], {
    mark: runsFolder(context.folders.state, "old"),
    folder: programs.folder,
    outputFile: path.join(programs.folder, "left.log"),
    environment: programs.environment,
  });
  expect(await runLaunch("old", context)).toBe(0);
  expect(await left.ended).toBe(143);
  expect(err()).toContain("ended a process that a launch before had left behind\n");
});
