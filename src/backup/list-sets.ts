import { describeError } from "../system/errors.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./manifest.ts";
import { readSetTime } from "./set-id.ts";
import { manifestKey, manifestPrefix, NotStoredError, readText, type Store } from "./store.ts";

/** A set at one destination. */
export interface StoredSet {
  job: string;
  setId: string;
  store: Store;
  manifest: Manifest;
}

/** A manifest that cannot be believed. */
export interface BadManifest {
  job: string;
  setId: string;
  store: Store;
  /** What is wrong with it. */
  problem: string;
}

/**
 * Given a store and the name of a job, return the sets that are there, oldest first: those with a manifest, and no others. Manifests that
 * are damaged are returned apart, so that nobody takes them for sets nor for nothing.
 */
export async function listSets(
  store: Store,
  job: string,
): Promise<{ sets: StoredSet[]; bad: BadManifest[] }> {
  const found: string[] = [];
  for await (const { key } of store.list(manifestPrefix(job))) {
    const [, setId] = /([^/]+)\.json$/.exec(key) ?? [];
    if (setId !== undefined && readSetTime(setId)) found.push(setId);
  }
  const sets: StoredSet[] = [];
  const bad: BadManifest[] = [];
  for (const setId of found.toSorted()) {
    const text = await readText(store, manifestKey(job, setId)).catch((error: unknown) => {
      // Pruned meanwhile.
      if (error instanceof NotStoredError) return undefined;
      throw error;
    });
    if (text === undefined) continue;
    try {
      sets.push({ job, setId, store, manifest: parseManifest(text, job, setId) });
    } catch (error) {
      bad.push({ job, setId, store, problem: describeError(error) });
    }
  }
  return { sets, bad };
}
