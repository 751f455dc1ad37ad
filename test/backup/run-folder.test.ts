import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeRunFolder, type RunFolder, sweepRunFolders } from "../../src/backup/run-folder.ts";

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "lcops-state-"));
});
afterEach(() => rm(state, { recursive: true, force: true }));

test("runs that begin at the same time do not take each other's folders for left ones", async () => {
  const own = state;
  let isOver = false;
  const sweepOn = async (): Promise<void> => {
    while (!isOver) await sweepRunFolders(own);
  };
  const sweeping = Array.from({ length: 8 }, sweepOn);
  const folders: RunFolder[] = [];
  for (let round = 0; round < 12; round++)
    folders.push(...(await Promise.all(Array.from({ length: 16 }, () => makeRunFolder(own)))));
  isOver = true;
  await Promise.all(sweeping);

  expect(folders.filter(({ path }) => !existsSync(path))).toEqual([]);
  for (const folder of folders) await folder.remove();
  expect(folders.filter(({ path }) => existsSync(path))).toEqual([]);
});

test("a folder that a killed run has left is swept by the next run", async () => {
  const left = join(state, "backup", "run-killed");
  await mkdir(left, { recursive: true });

  const folder = await makeRunFolder(state);

  expect(existsSync(left)).toBe(false);
  expect(existsSync(folder.path)).toBe(true);
  await folder.remove();
});
