import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runStatus } from "../../../src/commands/machine/run-status.ts";
import type { Config } from "../../../src/config/schema.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import type { Setting } from "../../terminal/fake-streams.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

const command = (code: number, title: string) => ({
  kind: "command" as const,
  title,
  status: ["sh", "-c", `exit ${code}`],
  on: ["true"],
  off: ["true"],
});
const config: Config = {
  workstation: {
    services: { own: command(0, "Our worker"), idle: command(1, "Idle"), odd: command(9, "Odd") },
  },
};

async function show(setting?: Setting): Promise<string> {
  const { context, out } = makeMachineContext(programs, config, setting);
  expect(await runStatus(context)).toBe(0);
  return out();
}

describe("the status of the machine", () => {
  test("is a line of cells for each service in a pipe", async () => {
    expect(await show()).toBe(
      "own\tOur worker\tON\t\nidle\tIdle\tOFF\t\nodd\tOdd\tunknown\tsh ended with 9\n",
    );
  });

  test("has a head and colours on a screen", async () => {
    const shown = await show({});
    expect(shown).toMatch(/NAME.+SERVICE.+STATE.+WHAT/);
    expect(shown).toContain("\u001b[32mON");
    expect(shown).toContain("\u001b[33munknown");
  });

  test("is a list with --json", async () => {
    const shown = await show({ stdout: false, stderr: false, flags: { json: true } });
    expect(JSON.parse(shown)).toMatchObject([
      { name: "own", key: "1", state: "on", detail: null },
      { name: "idle", key: "2", state: "off" },
      { name: "odd", key: "3", state: "unknown", detail: "sh ended with 9" },
    ]);
  });
});
