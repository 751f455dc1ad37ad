import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../system/errors.ts";

/** Of each launch; the older ones go when a new one begins. */
const KEPT = 5;

/** What a plan is told: taken away when its run has ended. */
export const PLAN_PROPERTIES = "plan.properties";

/** Given the state folder and the name of a launch, return the folder of its runs, which also marks what it has started. Pure. */
export function runsFolder(stateFolder: string, name: string): string {
  return join(stateFolder, "machine", "launches", name);
}

/** Given the folder of a launch's runs, make a fresh one in it, remove all but the newest, and return the fresh one. */
export async function makeRunFolder(runs: string, now = new Date()): Promise<string> {
  await mkdir(runs, { recursive: true, mode: 0o700 });
  const before = (await readdir(runs)).filter((entry) => /^\d{8}T\d{6}/.test(entry)).sort();
  for (const old of before.slice(0, Math.max(0, before.length - KEPT + 1)))
    await rm(join(runs, old), { recursive: true, force: true });
  // Of a run whose lcops was killed: it may hold a secret.
  for (const one of before) await rm(join(runs, one, PLAN_PROPERTIES), { force: true });
  const stamp = now.toISOString().replace(/[-:]|\..*/g, "");
  for (let number = 0; ; number++) {
    // A second has room for more than one.
    const folder = join(runs, number === 0 ? stamp : `${stamp}-${number}`);
    try {
      await mkdir(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}
