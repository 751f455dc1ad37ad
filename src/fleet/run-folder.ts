import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** So many runs of one kind are kept, the newest. */
const KEPT = 100;

/** A folder (0700) of one run over hosts. */
export interface RunFolder {
  id: string;
  path: string;
}

/** Given the state folder and what the run does, make a folder for it, and remove those of its kind that are older than the hundred newest. */
export async function makeRunFolder(
  stateFolder: string,
  kind: "run" | "upgrade",
): Promise<RunFolder> {
  const parent = join(stateFolder, "fleet");
  const time = new Date().toISOString().replace(/[-:.]/g, "");
  const id = `${kind}-${time}-${randomBytes(3).toString("hex")}`;
  const path = join(parent, id);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await mkdir(path, { mode: 0o700 });
  const old = (await listRunIds(stateFolder, kind)).slice(0, -KEPT);
  for (const name of old) await rm(join(parent, name), { recursive: true, force: true });
  return { id, path };
}

/** Given the state folder, return the ids of the runs of that kind, oldest first. */
export async function listRunIds(stateFolder: string, kind: "run" | "upgrade"): Promise<string[]> {
  const names = await readdir(join(stateFolder, "fleet")).catch(() => []);
  return names.filter((name) => name.startsWith(`${kind}-2`)).toSorted();
}

/** Given the place of a host in its run and its name, which may come from outside, return the name of its files. Pure. */
export function nameHostFile(index: number, name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 100);
  return `${String(index + 1).padStart(3, "0")}-${plain}`;
}
