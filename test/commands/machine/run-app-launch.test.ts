import { mkdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAppLaunch } from "../../../src/commands/machine/run-app-launch.ts";
import type { AppConfig } from "../../../src/config/workstation-schema.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import type { Setting } from "../../terminal/fake-streams.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

let serial = 0;
async function launch(more: Partial<AppConfig>, setting?: Setting) {
  const runFolder = path.join(programs.folder, `run-${++serial}`);
  mkdirSync(runFolder);
  let makes = 0;
  const { context, out } = makeMachineContext(programs, {}, setting);
  const config: AppConfig = {
    kind: "app",
    folder: programs.folder,
    run: ["true"],
    // Nothing listens on port 1, which is reserved.
    url: "http://127.0.0.1:1/",
    ...more,
  };
  const makeFolder = () => Promise.resolve((makes++, runFolder));
  const running = runAppLaunch({ name: "app", config, mark: runFolder, makeFolder }, context);
  const [result] = await Promise.allSettled([running]);
  return { result, out: out(), makes };
}

test("refuses a program that is not installed, before it makes a folder", async () => {
  expect(await launch({ run: ["no-such-sbt", "run"] })).toMatchObject({
    result: {
      reason: {
        kind: "missing",
        message: "app is run by no-such-sbt, which is not installed",
        next: "install it, or say in workstation.launches.app.run how it is run",
      },
    },
    makes: 0,
  });
});

test("refuses an app without a place", async () => {
  const { context } = makeMachineContext(programs, {});
  const config: AppConfig = { kind: "app", run: ["true"], url: "http://127.0.0.1:1/" };
  const makeFolder = () => Promise.reject(new Error("nobody was to make it"));
  await expect(
    runAppLaunch({ name: "lost", config, mark: "m", makeFolder }, context),
  ).rejects.toMatchObject({
    kind: "configuration",
    next: "say it in workstation.launches.lost.folder",
  });
});

test("prints what the app says, escaped, as lines or as events", async () => {
  const run = ["sh", "-c", "printf 'a\\tb\\033[2J\\n'; exit 3"];
  const plain = await launch({ run });
  expect(plain.result).toMatchObject({ reason: { kind: "failed" } });
  expect(plain.out).toBe("a b\\x1b[2J\n");
  const events = await launch({ run }, { stdout: false, stderr: false, flags: { json: true } });
  expect(JSON.parse(events.out)).toEqual({ line: "a\tb\u001b[2J" });
});
