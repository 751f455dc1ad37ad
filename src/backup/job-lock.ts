import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { takeKernelLock } from "../system/kernel-lock.ts";

/** Given the state folder and a job, take the lock of that job and return how to give it back; undefined where another run has it. */
export async function takeJobLock(
  stateFolder: string,
  job: string,
): Promise<(() => Promise<void>) | undefined> {
  const folder = join(stateFolder, "backup");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return takeKernelLock(join(folder, `${job}.lock`));
}
