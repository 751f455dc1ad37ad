import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PartRecord } from "../services/set-content.ts";
import { errorCode } from "../system/errors.ts";

/** Which parts of a restore stand already: a restore that was cut off goes on behind them. */
export interface RestoreProgress {
  isDone: (part: PartRecord) => boolean;
  markDone: (part: PartRecord) => Promise<void>;
  /** Where it went on; 0 at a new one. */
  resumed: number;
  /** The restore is whole: the next one begins anew. */
  finish(): Promise<void>;
}

/** Given the state folder and what tells this restore from any other (the set, the target, what of it), return how far it has come. */
export async function openRestoreProgress(
  stateFolder: string,
  identity: readonly (string | undefined)[],
): Promise<RestoreProgress> {
  const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
  const path = join(stateFolder, "restores", `${hash}.ndjson`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const done = new Set(await readLines(path));
  const nameOf = ({ path: part, stored }: PartRecord): string => `${stored.sha256} ${part}`;
  return {
    resumed: done.size,
    isDone: (part) => done.has(nameOf(part)),
    markDone: async (part) => {
      await appendFile(path, `${nameOf(part)}\n`, { mode: 0o600 });
      const file = await open(path, "r");
      await file.datasync().finally(() => file.close());
      done.add(nameOf(part));
    },
    finish: () => rm(path, { force: true }),
  };
}

/** The last line counts only where it is whole. */
async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").slice(0, -1);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
