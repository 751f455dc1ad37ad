import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { errorCode } from "../system/errors.ts";

const folderOf = (stateFolder: string): string => join(stateFolder, "backup", "unfinished");
const pathOf = (stateFolder: string, job: string, setId: string): string =>
  join(folderOf(stateFolder), `${job}--${setId}`);

/** Given a run, note that it has begun: what it leaves when it is killed is known to be this machine's, and nobody waits for it. */
export function noteRun(stateFolder: string, job: string, setId: string): Promise<void> {
  return writeFileAtomically(pathOf(stateFolder, job, setId), "");
}

/** Given a run that has ended and has left nothing, or was swept up behind, forget it. */
export function forgetRun(stateFolder: string, job: string, setId: string): Promise<void> {
  return rm(pathOf(stateFolder, job, setId), { force: true });
}

/** Given a job whose lock is held, return the runs of this machine that have begun and were killed. */
export async function listUnfinished(stateFolder: string, job: string): Promise<string[]> {
  try {
    return (await readdir(folderOf(stateFolder)))
      .filter((entry) => entry.startsWith(`${job}--`))
      .map((entry) => entry.slice(job.length + 2));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
