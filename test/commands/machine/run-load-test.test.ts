import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runLoadTest } from "../../../src/commands/machine/run-load-test.ts";
import type { JmeterConfig } from "../../../src/config/workstation-schema.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import { makeRun, sampleScript, writeJmeter } from "../../support/scripted-jmeter.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

let programs: ScriptedPrograms;
let program: string;
beforeAll(() => {
  programs = makePrograms();
  program = writeJmeter(programs);
});
afterAll(() => programs.remove());

const CRON: Setting = { stdout: false, stderr: false };

async function launch(script: string, more: Partial<JmeterConfig> = {}, setting = CRON) {
  const { folder, plan } = makeRun(programs, script);
  const { terminal, out, err } = makeFakeTerminal(setting);
  const config: JmeterConfig = { kind: "jmeter", plan, program, ...more };
  let makes = 0;
  const running = runLoadTest(
    { name: "ja", config, mark: folder, makeFolder: () => Promise.resolve((makes++, folder)) },
    {
      terminal,
      environment: { LOAD_TEST_SECRET: "s3cret" },
      signal: new AbortController().signal,
      childEnvironment: () => Promise.resolve(programs.environment),
    },
  );
  const [result] = await Promise.allSettled([running]);
  return {
    result,
    code: result.status === "fulfilled" ? result.value : undefined,
    stdout: out(),
    stderr: err(),
    makes,
  };
}

const HALF = `${sampleScript(10)}\n${sampleScript(10, { label: "GET /broken", answer: "503 Service Unavailable" })}`;

describe("a load test", () => {
  test("says nothing in cron when all went well", async () => {
    const { code, stdout, stderr } = await launch(sampleScript(10));
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("with failed samples ends with 4, and says why", async () => {
    const { code, stdout, stderr } = await launch(HALF);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^ja: failed, 20 samples in .*, 10 failed\n/);
    expect(stdout).toContain("\n10 × 503 Service Unavailable\n");
    expect(stderr).toMatch(/^lcops: ja: 10 of 20 samples have failed$/m);
  });

  test("may fail in part where the configuration allows it", async () => {
    expect(await launch(HALF, { maxFailedPercent: 50 })).toMatchObject({ code: 0, stdout: "" });
  });

  test("that is too slow ends with 4, and names the limit", async () => {
    const { code, stdout } = await launch(
      sampleScript(10, { elapsedMs: 100 }),
      { maxP95Ms: 1 },
      { ...CRON, flags: { json: true } },
    );
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "failed",
      why: ["the 95th percentile is 100 ms, more than 1 ms"],
    });
  });

  test("that samples nothing is an error, whatever JMeter ends with", async () => {
    const { result, stdout } = await launch("echo Error in NonGUIDriver; code=0");
    expect(result).toMatchObject({
      reason: {
        kind: "failed",
        message: "ja: JMeter 5.5 has sampled nothing: Error in NonGUIDriver",
        next: expect.stringContaining("jmeter.log") as string,
      },
    });
    expect(stdout).toBe("");
  });

  test("reads a secret for its plan, and other values as they are", async () => {
    const script = `${sampleScript(1)}\ngrep -q '^key=s3cret$' "$properties" && grep -q '^port=80$' "$properties" || code=9`;
    const properties = { key: "${env:LOAD_TEST_SECRET}", port: 80 };
    expect(await launch(script, { properties })).toMatchObject({ code: 0 });
  });

  test("without its plan or JMeter makes no folder", async () => {
    const none = await launch("", { program: "no-such-jmeter" });
    expect(none).toMatchObject({ result: { reason: { kind: "missing" } }, makes: 0 });
    const lost = await launch("", { plan: "/nowhere/none.jmx" });
    expect(lost).toMatchObject({
      result: {
        reason: { kind: "configuration", message: "the plan /nowhere/none.jmx cannot be read" },
      },
      makes: 0,
    });
  });
});
