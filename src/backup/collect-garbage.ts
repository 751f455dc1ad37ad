import { forgetRun, listUnfinished } from "./unfinished-runs.ts";
import { readSetTime } from "./set-id.ts";
import { manifestPrefix, type Store, UNFINISHED } from "./store.ts";

/** What no set has. */
export interface Garbage {
  store: Store;
  keys: string[];
  bytes: number;
}

export interface GarbageOptions {
  job: string;
  /** Sets whose runs, of this machine, were killed: nobody works on them any more. */
  abandoned: ReadonlySet<string>;
  now: Date;
}

/** Another machine may be running the same job: nothing of a run takes longer. */
export const GRACE_MS = 48 * 3_600_000;

/** Given a store and a job whose lock is held, return what is there of it that no set has: left by runs that were killed, and by removals that were cut off. */
export async function findGarbage(store: Store, options: GarbageOptions): Promise<Garbage> {
  const { job, abandoned, now } = options;
  const keys: string[] = [];
  let bytes = 0;
  const isOld = (at: Date): boolean => now.getTime() - at.getTime() > GRACE_MS;
  const sets = new Set<string>();
  for await (const { key, modifiedAt, bytes: size } of store.list(manifestPrefix(job))) {
    const name = key.slice(manifestPrefix(job).length);
    if (!UNFINISHED.test(name)) sets.add(name.replace(/\.json$/, ""));
    else if (isOld(modifiedAt) || abandoned.has(name.split(".")[0] ?? "")) {
      keys.push(key);
      bytes += size;
    }
  }
  for (const prefix of [`data/${job}/`, `reports/${job}/`]) {
    for await (const { key, modifiedAt, bytes: size } of store.list(prefix)) {
      const setId = key.slice(prefix.length).split("/")[0] ?? "";
      if (sets.has(setId) && !UNFINISHED.test(key)) continue;
      const begun = readSetTime(setId) ?? modifiedAt;
      const isDead = abandoned.has(setId) || (isOld(begun) && isOld(modifiedAt));
      if (!isDead) continue;
      keys.push(key);
      bytes += size;
    }
  }
  return { store, keys, bytes };
}

/** Given the stores of a job and sets whose runs were killed, return those that were published nowhere: what was made for them elsewhere is nobody's. Throws where a store does not answer. */
export async function findUnpublished(
  stores: readonly Store[],
  job: string,
  setIds: readonly string[],
): Promise<string[]> {
  const left = new Set(setIds);
  for (const store of stores)
    for await (const { key } of store.list(manifestPrefix(job)))
      left.delete(key.slice(manifestPrefix(job).length).replace(/\.json$/, ""));
  return [...left];
}

/**
 * Given a job whose lock is held and its stores, remove what runs of this machine have left that were killed, and
 * what `sweepElsewhere` finds of theirs. Where a store does not answer they are remembered for the next time.
 */
export async function sweepUnfinished(
  stateFolder: string,
  job: string,
  stores: readonly Store[],
  sweepElsewhere: (setIds: readonly string[]) => Promise<void>,
): Promise<void> {
  const unfinished = await listUnfinished(stateFolder, job);
  if (unfinished.length === 0) return;
  const abandoned = new Set(unfinished);
  let isSwept = true;
  for (const store of stores) {
    try {
      const { keys } = await findGarbage(store, { job, abandoned, now: new Date(0) });
      for (const key of keys) await store.remove(key);
    } catch {
      // Why it does not answer is told by the run, which is about to write there.
      isSwept = false;
    }
  }
  try {
    await sweepElsewhere(unfinished);
  } catch {
    isSwept = false;
  }
  if (!isSwept) return;
  for (const setId of unfinished) await forgetRun(stateFolder, job, setId);
}
