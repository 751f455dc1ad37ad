import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
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

/** What tells a restore from any other. */
interface RestoreIdentity {
  setId: string;
  into: string;
  only: string | undefined;
}

/**
 * Given the state folder and what tells this restore from any other, return how far it has come. What restores of other sets had come to at this place is
 * forgotten: this one replaces what they put there, and they must not go on in the midst of it.
 */
export async function openRestoreProgress(
  stateFolder: string,
  { setId, into, only }: RestoreIdentity,
): Promise<RestoreProgress> {
  const target = `${hash(placeOf(into))}.`;
  const ofSet = `${target}${hash(setId)}.`;
  const path = join(
    stateFolder,
    "restores",
    `${ofSet}${hash(JSON.stringify([into, only]))}.ndjson`,
  );
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder))
    if (name.startsWith(target) && !name.startsWith(ofSet))
      await rm(join(folder, name), { force: true });
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

/** Of a service all of it: what is restored into `school` and into `school/shop` may be the same table. All folders are one: a folder has many spellings. */
const placeOf = (into: string): string => (/^[./~]/.test(into) ? "" : (into.split("/")[0] ?? into));

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** The last line counts only where it is whole. */
async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").slice(0, -1);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
