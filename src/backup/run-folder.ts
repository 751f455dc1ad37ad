import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { passableFolder } from "../services/passable-folder.ts";
import { endProcessesOf } from "../system/end-processes-of.ts";
import { takeKernelLock } from "../system/kernel-lock.ts";

/** A folder of one run, and of its programs. */
export interface RunFolder {
  path: string;
  remove(): Promise<void>;
}

const PREFIX = "run-";

/** Given the state folder, make a folder for a run (0700) in it. What runs have left that were killed, a scratch server too, is ended and removed first. */
export async function makeRunFolder(stateFolder: string): Promise<RunFolder> {
  const parent = join(stateFolder, "backup");
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await sweepRunFolders(stateFolder);
  const { path, release } = await takeFolder(parent);
  return {
    path,
    remove: async () => {
      await rm(passableFolder(path), { recursive: true, force: true });
      await rm(path, { recursive: true, force: true });
      await release();
    },
  };
}

/** Makes a folder and takes its lock. Another run may have taken the folder for one that was left before it had the lock: then it makes another. */
async function takeFolder(parent: string): Promise<{ path: string; release: () => Promise<void> }> {
  for (;;) {
    const path = await mkdtemp(join(parent, PREFIX));
    const release = await takeKernelLock(path);
    if (release && existsSync(path)) return { path, release };
    await release?.();
  }
}

/** Given the state folder, end and remove what killed runs have left there; returns how many they were. */
export async function sweepRunFolders(stateFolder: string): Promise<number> {
  const parent = join(stateFolder, "backup");
  const entries = await readdir(parent).catch(() => []);
  let swept = 0;
  for (const entry of entries.filter((name) => name.startsWith(PREFIX))) {
    const path = join(parent, entry);
    const release = await takeKernelLock(path);
    if (!release) continue;
    for (const of of [path, passableFolder(path)]) await endProcessesOf(of);
    await rm(passableFolder(path), { recursive: true, force: true });
    await rm(path, { recursive: true, force: true });
    await release();
    swept++;
  }
  return swept;
}
