import { mkdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runApp } from "../../src/workstation/launch-app.ts";
import { findPrograms } from "../support/find-programs.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

let serial = 0;
/** Nothing listens on port 1, which is reserved. */
const URL_OF_NOBODY = "http://127.0.0.1:1/";

async function run(
  script: string,
  more: { folder?: string; limitMs?: number; signal?: AbortSignal } = {},
) {
  const runFolder = path.join(programs.folder, `run-${++serial}`);
  mkdirSync(runFolder);
  const said: string[] = [];
  let isUp = false;
  const running = runApp({
    run: ["sh", "-c", script],
    folder: programs.folder,
    url: URL_OF_NOBODY,
    limitMs: 5_000,
    mark: runFolder,
    runFolder,
    environment: programs.environment,
    signal: new AbortController().signal,
    take: (line) => said.push(line),
    isUp: () => (isUp = true),
    isLeft: () => undefined,
    ...more,
  });
  const [result] = await Promise.allSettled([running]);
  return { result, said, isUp };
}

test("fails with its code where it ends before it answers, and tells what it has said", async () => {
  const { result, said, isUp } = await run("echo starting; exit 3");
  expect(result).toMatchObject({
    reason: { kind: "failed", message: `sh ended with 3 before ${URL_OF_NOBODY} answered` },
  });
  expect(said).toEqual(["starting"]);
  expect(isUp).toBe(false);
});

test("is stopped with its children where it does not answer in time", async () => {
  const nap = `sleep 1000.${process.pid}3`;
  const { result } = await run(`${nap} & ${nap}; :`, { limitMs: 200 });
  expect(result).toMatchObject({
    reason: {
      kind: "failed",
      message: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:1\/ has not answered within 0\.2 s: .+; sh was stopped$/,
      ) as string,
    },
  });
  expect(await findPrograms(nap)).toEqual([]);
});

test("is stopped by its signal", async () => {
  const nap = `sleep 1000.${process.pid}4`;
  const stopping = new AbortController();
  const running = run(nap, { signal: stopping.signal });
  while ((await findPrograms(nap)).length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  stopping.abort(new Error("stopped"));
  expect((await running).result).toMatchObject({ reason: { message: "stopped" } });
  expect(await findPrograms(nap)).toEqual([]);
});

test("needs its folder", async () => {
  const { result } = await run("true", { folder: "/nowhere" });
  expect(result).toMatchObject({
    reason: { kind: "configuration", message: "there is no folder /nowhere to run it in" },
  });
});
