import { join } from "node:path";

/** Given the state folder and a job, return the folder that the job keeps between its runs; whoever needs it makes it. Pure. */
export function jobFolderOf(stateFolder: string, job: string): string {
  return join(stateFolder, "backup", "jobs", job);
}
