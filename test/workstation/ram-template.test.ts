import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyData, isCurrent, statSeed } from "../../src/workstation/ram-template.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

const program = { server: "mariadbd", version: "10.11.14", installer: "mariadb-install-db" };

test("is current for one seed as it was, and one version of the server", async () => {
  const folder = path.join(programs.folder, "template");
  const seed = path.join(programs.folder, "seed.sql");
  mkdirSync(folder);
  writeFileSync(seed, "SELECT 1");
  const template = { folder, seed };
  expect(await isCurrent(template, program)).toBe(false);
  const made = { version: "10.11.14", seed: await statSeed(seed) };
  writeFileSync(path.join(folder, "made.json"), `${JSON.stringify(made)}\n`);
  expect(await isCurrent(template, program)).toBe(true);
  expect(await isCurrent(template, { ...program, version: "11.4.2" })).toBe(false);
  expect(await isCurrent({ folder }, program)).toBe(false);
  utimesSync(seed, 1, 1);
  expect(await isCurrent(template, program)).toBe(false);
});

test("needs a seed that can be read", async () => {
  const seed = path.join(programs.folder, "none.sql");
  await expect(statSeed(seed)).rejects.toMatchObject({
    kind: "configuration",
    message: expect.stringContaining("the seed cannot be read: ENOENT") as string,
  });
});

test("copies data into a folder that is not there yet, and says why it cannot", async () => {
  const from = path.join(programs.folder, "from");
  mkdirSync(path.join(from, "shop"), { recursive: true });
  writeFileSync(path.join(from, "shop/t.ibd"), "rows");
  const to = path.join(programs.folder, "to");
  const options = { environment: programs.environment, signal: new AbortController().signal };
  await copyData(from, to, options);
  expect(readFileSync(path.join(to, "shop/t.ibd"), "utf8")).toBe("rows");
  await expect(copyData(`${from}-none`, `${to}-2`, options)).rejects.toMatchObject({
    kind: "failed",
    message: expect.stringMatching(/^the data could not be copied: .*No such file/) as string,
  });
  expect(existsSync(`${to}-2`)).toBe(false);
});
