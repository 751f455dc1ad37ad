import type { Manifest } from "./manifest.ts";
import { findNewest, lastOf } from "./judge-sets.ts";
import { listSets, type StoredSet } from "./list-sets.ts";
import { readReports } from "./reports.ts";
import { manifestKey, type Store } from "./store.ts";
import { compareReferred } from "./verify-set.ts";

/**
 * Given the destinations of a job and for whom it encrypts, return its newest complete set where every destination has it with all its parts, packed for
 * the same keys, and nothing was found to be wrong with it. Undefined where one has not, or does not answer: then all is read anew.
 */
export async function findEarlier(
  stores: readonly Store[],
  job: string,
  recipients: readonly string[],
): Promise<Manifest | undefined> {
  const found: StoredSet[] = [];
  for (const store of stores) {
    const { sets } = await listSets(store, job);
    const newest = findNewest(
      { store, bad: [], sets: sets.map((set) => ({ ...set, reports: [] })) },
      new Date(),
    );
    if (!newest) return undefined;
    const reports = await readReports(store, job, newest.setId);
    if (lastOf(reports, "verify")?.ok === false || lastOf(reports, "drill")?.verdict === "failed")
      return undefined;
    const parts = newest.manifest.parts.map((part) => ({ in: newest.setId, ...part }));
    if ((await compareReferred(newest, parts)).length > 0) return undefined;
    found.push(newest);
  }
  const [first] = found;
  const isOne =
    new Set(found.map(({ setId }) => setId)).size === 1 &&
    JSON.stringify(first?.manifest.recipients) === JSON.stringify(recipients);
  return isOne ? first?.manifest : undefined;
}

/** Given a destination and sets of a job, return the first that is not there any more. */
export async function findPruned(
  store: Store,
  job: string,
  setIds: Iterable<string>,
): Promise<string | undefined> {
  for (const setId of setIds) {
    let isThere = false;
    for await (const { key } of store.list(manifestKey(job, setId)))
      isThere ||= key === manifestKey(job, setId);
    if (!isThere) return setId;
  }
  return undefined;
}
