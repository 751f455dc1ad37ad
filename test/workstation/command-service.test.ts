import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandService } from "../../src/workstation/command-service.ts";
import { makeTools } from "../support/machine-tools.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

const make = (commands: Partial<Parameters<typeof commandService>[0]>) =>
  commandService(
    { status: ["true"], on: ["true"], off: ["true"], root: false, ...commands },
    makeTools({ environment: programs.environment }),
  );

describe("the status of a command", () => {
  test.each<[string, string[], object]>([
    ["is on with 0", ["true"], { state: "on" }],
    ["is off with 1", ["false"], { state: "off" }],
    ["is off with 3, as of scripts of the system", ["sh", "-c", "exit 3"], { state: "off" }],
    [
      "is unknown with another code",
      ["sh", "-c", "exit 2"],
      { state: "unknown", detail: "sh ended with 2" },
    ],
    ["is unknown when it is killed", ["sh", "-c", "kill -SEGV $$"], { state: "unknown" }],
    ["is missing with its program", ["/no/such"], { state: "not installed" }],
  ])("%s", async (_what, status, seen) => {
    expect(await make({ status }).observe()).toMatchObject(seen);
  });
});

describe.each([false, true])("a change, as root: %s", (root) => {
  test("runs the command, and is undone by the other one", async () => {
    const flag = path.join(programs.folder, `flag-${String(root)}`);
    const service = make({
      status: ["test", "-e", flag],
      on: ["touch", flag],
      off: ["rm", flag],
      root,
    });
    const on = await service.plan("on", { state: "off" });
    expect(on).toMatchObject({ lines: [`touch ${flag}`], danger: "writes", undo: `rm ${flag}` });
    await on.run();
    expect(existsSync(flag)).toBe(true);
    expect(await service.observe()).toEqual({ state: "on" });
    const off = await service.plan("off", { state: "on" });
    expect(off).toMatchObject({ lines: [`rm ${flag}`], undo: `touch ${flag}` });
    await off.run();
    expect(await service.observe()).toEqual({ state: "off" });
  });

  test("fails with the last words of the command", async () => {
    programs.write("refuse", "echo first >&2; echo no disk >&2; exit 4");
    const change = await make({ on: ["refuse", "it"], root }).plan("on", { state: "off" });
    await expect(change.run()).rejects.toMatchObject({
      kind: "failed",
      message: "refuse it ended with 4: no disk",
    });
  });
});
