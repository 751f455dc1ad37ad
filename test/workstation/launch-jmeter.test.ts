import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  explainBreak,
  findJmeter,
  judgeLoad,
  runJmeter,
} from "../../src/workstation/launch-jmeter.ts";
import { LoadCount, type LoadSummary } from "../../src/workstation/summarise-load.ts";
import { findPrograms } from "../support/find-programs.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";
import { makeRun, sampleScript, writeJmeter } from "../support/scripted-jmeter.ts";

function summaryOf(samples: number, failed = 0, elapsedMs = 10): LoadSummary {
  const count = new LoadCount();
  for (let at = 0; at < samples; at++)
    count.add({ at, elapsedMs, label: "a", hasFailed: at < failed, why: "503" });
  return count.summarise();
}

describe("the judgement of a load test", () => {
  test.each<[string, LoadSummary, Parameters<typeof judgeLoad>[1], string[]]>([
    ["passes without a failure", summaryOf(20), {}, []],
    ["fails with one failure", summaryOf(20, 1), {}, ["1 of 20 samples have failed"]],
    [
      "passes with as many failures as are allowed",
      summaryOf(20, 10),
      { maxFailedPercent: 50 },
      [],
    ],
    [
      "fails with one more",
      summaryOf(20, 11),
      { maxFailedPercent: 50 },
      ["11 of 20 samples have failed, more than 50 %"],
    ],
    ["passes at the limit of the 95th percentile", summaryOf(20, 0, 30), { maxP95Ms: 30 }, []],
    [
      "fails beyond it",
      summaryOf(20, 0, 31),
      { maxP95Ms: 30 },
      ["the 95th percentile is 31 ms, more than 30 ms"],
    ],
    [
      "names both",
      summaryOf(2, 2, 31),
      { maxP95Ms: 1 },
      ["2 of 2 samples have failed", "the 95th percentile is 31 ms, more than 1 ms"],
    ],
    ["has nothing to say of no sample", summaryOf(0), { maxP95Ms: 1 }, []],
  ])("%s", (_what, summary, limits, found) => {
    expect(judgeLoad(summary, limits)).toEqual(found);
  });
});

describe("a test is broken", () => {
  const WHOLE = {
    code: 0,
    isLate: false,
    isStopped: false,
    isWhole: true,
    summary: summaryOf(2),
    version: "5.5",
    errors: [],
    config: {},
  };
  test.each<[string, Partial<Parameters<typeof explainBreak>[0]>, string[]]>([
    ["not when it is whole", {}, []],
    ["when it was stopped", { isStopped: true }, ["stopped before its end"]],
    ["when nothing was sampled", { summary: summaryOf(0) }, ["JMeter 5.5 has sampled nothing"]],
    [
      "when nothing was sampled by a JMeter that is not known",
      { summary: summaryOf(0), version: undefined, errors: ["Error in it", "another"] },
      ["JMeter has sampled nothing: Error in it"],
    ],
    ["when its time was over", { isLate: true, code: 143 }, ["it was not done within 60 minutes"]],
    ["when a signal has ended it", { code: 137 }, ["JMeter was ended by signal 9"]],
    ["when JMeter failed", { code: 1, errors: ["no"] }, ["JMeter ended with 1: no"]],
    ["when its file is cut off", { isWhole: false }, ["its result file is cut off"]],
  ])("%s", (_what, more, broken) => {
    expect(explainBreak({ ...WHOLE, ...more })).toEqual(broken);
  });
});

let programs: ScriptedPrograms;
let program: string;
beforeAll(() => {
  programs = makePrograms();
  program = writeJmeter(programs);
});
afterAll(() => programs.remove());

async function run(
  script: string,
  more: { minutes?: number; properties?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const { folder, plan } = makeRun(programs, script);
  const told: (string | LoadSummary)[] = [];
  const { minutes, properties = {}, signal = new AbortController().signal } = more;
  const result = await runJmeter({
    program,
    plan,
    config: { kind: "jmeter", plan, ...(minutes !== undefined && { minutes }) },
    properties,
    mark: folder,
    folder,
    environment: programs.environment,
    signal,
    update: (now) => told.push(now),
  });
  return { ...result, told };
}

describe("a run", () => {
  test("is measured from its result file, and has a report", async () => {
    const seen = await run(`${sampleScript(3)}\n${sampleScript(1, { answer: "503 No" })}`);
    expect(seen).toMatchObject({ version: "5.5", broken: [], left: [] });
    expect(seen.summary).toMatchObject({ samples: 4, failed: 1 });
    expect(readFileSync(seen.report ?? "", "utf8")).toBe("page\n");
    expect(seen.told.filter((one) => typeof one === "string")).toEqual([
      "JMeter starts",
      "JMeter makes its report",
    ]);
  });

  test("tells the plan its properties by a file of this user alone, and removes it", async () => {
    const { folder } = await run(
      `${sampleScript(1)}\ncp -p "$properties" "$(dirname "$results")/seen"`,
      { properties: { key: "s3cret/of=the plan", word: "späß" } },
    );
    const seen = path.join(folder, "seen");
    expect(readFileSync(seen, "utf8")).toBe(
      "key=s3cret\\u002fof\\u003dthe\\u0020plan\nword=sp\\u00e4\\u00df\n",
    );
    expect(statSync(seen).mode & 0o777).toBe(0o600);
    expect(existsSync(path.join(folder, "plan.properties"))).toBe(false);
  });

  test("that does not end is ended when its time is over", async () => {
    const nap = `sleep 1000.${process.pid}1`;
    const seen = await run(`${sampleScript(2)}\n${nap}`, { minutes: 0.01 });
    expect(seen.broken).toEqual(["it was not done within 0.01 minutes"]);
    expect(seen.summary.samples).toBe(2);
    expect(seen.report).toBeUndefined();
    expect(await findPrograms(nap)).toEqual([]);
  });

  test("that is stopped returns what was measured, and leaves nothing", async () => {
    const nap = `sleep 1000.${process.pid}2`;
    const stopping = new AbortController();
    const running = run(`${sampleScript(2)}\n${nap}`, { signal: stopping.signal });
    while ((await findPrograms(nap)).length === 0)
      await new Promise((resolve) => setImmediate(resolve));
    stopping.abort(new Error("stopped"));
    const seen = await running;
    expect(seen.broken[0]).toBe("stopped before its end");
    expect(seen.summary.samples).toBe(2);
    expect(await findPrograms(nap)).toEqual([]);
  });

  test.each<[string, string, string]>([
    ["JMeter is killed", `${sampleScript(2)}\nkill -9 $$`, "JMeter was ended by signal 9"],
    [
      "JMeter fails",
      `${sampleScript(2)}\necho cannot do it; code=3`,
      "JMeter ended with 3: cannot do it",
    ],
    [
      "its file is cut off",
      `${sampleScript(2)}\nprintf 17000 >> "$results"`,
      "its result file is cut off",
    ],
    [
      "nothing is sampled",
      "echo Error in NonGUIDriver",
      "JMeter 5.5 has sampled nothing: Error in NonGUIDriver",
    ],
  ])("is broken where %s, and has no report", async (_what, script, why) => {
    const seen = await run(script);
    expect(seen.broken).toEqual([why]);
    expect(seen.report).toBeUndefined();
    expect(existsSync(path.join(seen.folder, "report"))).toBe(false);
  });

  test("has no report where JMeter is too old to make one", async () => {
    const seen = await run(`${sampleScript(1)}\nversion=2.13`);
    expect(seen).toMatchObject({ version: "2.13", broken: [], report: undefined });
    expect(existsSync(path.join(seen.folder, "report.log"))).toBe(false);
  });

  test("keeps no half of a report that JMeter fails to make", async () => {
    const seen = await run(`${sampleScript(1)}\ntouch "$(dirname "$results")/no-report"`);
    expect(seen).toMatchObject({ broken: [], report: undefined });
    expect(existsSync(path.join(seen.folder, "report"))).toBe(false);
  });
});

describe("JMeter", () => {
  test("is found in PATH or by its path", async () => {
    const { plan } = makeRun(programs, "");
    const find = (name: string) => findJmeter("ja", { program: name, plan }, programs.environment);
    expect(await find("jmeter")).toBe(program);
    expect(await find(program)).toBe(path.join("/", program));
    await expect(find("no-such-jmeter")).rejects.toMatchObject({
      kind: "missing",
      message: "JMeter is not installed: there is no program no-such-jmeter",
      next: expect.stringContaining("workstation.launches.ja.program") as string,
    });
  });

  test("needs a plan that can be read", async () => {
    const plan = path.join(programs.folder, "none.jmx");
    await expect(findJmeter("ja", { program, plan }, programs.environment)).rejects.toMatchObject({
      kind: "configuration",
      message: `the plan ${plan} cannot be read`,
      next: "say in workstation.launches.ja.plan where it is",
    });
  });
});
