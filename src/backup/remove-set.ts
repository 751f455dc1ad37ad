import { dataPrefix, manifestKey, reportPrefix, type Store } from "./store.ts";

/** Given a set, remove it from a store: its manifest first, so that what is left when this is cut off is no set any more, and gc removes it. */
export async function removeSet(store: Store, job: string, setId: string): Promise<void> {
  await store.remove(manifestKey(job, setId));
  for (const prefix of [dataPrefix(job, setId), reportPrefix(job, setId)]) {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    for (const key of keys) await store.remove(key);
  }
}
