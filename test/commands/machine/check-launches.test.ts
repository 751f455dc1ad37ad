import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkLaunches } from "../../../src/commands/machine/check-launches.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

test("finds for each launch whether all is there that it needs", async () => {
  const { folder } = programs;
  const jmeter = programs.write("jmeter", "");
  const sbt = programs.write("sbt", "");
  const plan = path.join(folder, "api.jmx");
  writeFileSync(plan, "");
  const app = { kind: "app" as const, folder, run: ["sbt", "run"], url: "http://localhost:9/" };
  const launches = {
    ja: { kind: "jmeter" as const, plan },
    nowhere: { kind: "jmeter" as const, plan, program: "no-such-jmeter" },
    lost: { kind: "jmeter" as const, plan: `${plan}-none` },
    app,
    own: { ...app, run: ["./start"] },
    missing: { ...app, run: ["no-such-sbt"] },
    file: { ...app, folder: plan },
  };
  const findings = await checkLaunches({
    config: () => Promise.resolve({ workstation: { launches } }),
    childEnvironment: () => Promise.resolve(programs.environment),
  });
  expect(findings.map(({ name, state, detail }) => [name, state, detail])).toEqual([
    ["ja", "ok", `${jmeter}, ${plan}`],
    ["nowhere", "warn", "JMeter is not installed: there is no program no-such-jmeter"],
    ["lost", "warn", `the plan ${plan}-none cannot be read`],
    ["app", "ok", `${sbt} in ${folder}`],
    ["own", "ok", `./start in ${folder}`],
    ["missing", "warn", "the program no-such-sbt is not installed"],
    ["file", "warn", `${plan} is no folder`],
  ]);
  expect(findings[1]?.next).toBe("install it, or mend workstation.launches.nowhere");
});
