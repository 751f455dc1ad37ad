/** Two runs that have chosen one name: one of them has the set, and nothing of the other's comes between. */
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { claimSet } from "../../src/backup/claim-set.ts";
import { openFolderStore } from "../../src/backup/folder-store.ts";
import type { Target } from "../../src/backup/make-sink.ts";
import { TakenError, writeText } from "../../src/backup/store.ts";

const SET = "20260131T021500Z-7f3a9c";
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function makeFolder(): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "lcops-claim-"));
  cleanUps.push(() => fs.rm(folder, { recursive: true, force: true }));
  return folder;
}

test("of many runs at once one has the set, the others are told and have nothing there", async () => {
  const folder = await makeFolder();
  const runs = Array.from({ length: 8 }, (): Target[] => [
    { store: openFolderStore("server", folder) },
  ]);
  const done = await Promise.allSettled(runs.map((targets) => claimSet(targets, "job", SET)));
  expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const [index, one] of done.entries()) {
    const failure = runs[index]?.[0]?.failure;
    if (one.status === "rejected") expect(failure).toBeInstanceOf(TakenError);
    else expect(failure).toBeUndefined();
  }
});

test("a destination where another has it, or that takes nothing, is left out; the set goes to the other", async () => {
  const [shared, own, broken] = [await makeFolder(), await makeFolder(), await makeFolder()];
  await claimSet([{ store: openFolderStore("server", shared) }], "job", SET);
  const targets: Target[] = [
    { store: openFolderStore("server", shared) },
    { store: openFolderStore("operator", own) },
  ];
  await claimSet(targets, "job", SET);
  expect(targets.map(({ failure }) => failure instanceof TakenError)).toEqual([true, false]);
  await fs.writeFile(path.join(broken, "data"), "in the way");
  await expect(
    claimSet([{ store: openFolderStore("server", broken) }], "job", SET),
  ).rejects.toThrow(/cannot write/);
});

test("what is put into its place later is not taken for a claim that is free", async () => {
  const folder = await makeFolder();
  const store = openFolderStore("server", folder);
  await claimSet([{ store }], "job", SET);
  await writeText(store, `data/job/${SET}/RESTORE.txt`, "how to restore it");
  await expect(claimSet([{ store }], "job", SET)).rejects.toThrow(TakenError);
});
