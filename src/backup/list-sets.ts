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
  const sets: StoredSet[] = [];
  const bad: BadManifest[] = [];
  for (const setId of await listIds(store, job)) {
    const read = await readSet(store, job, setId);
    if (!read) continue;
    if ("problem" in read) bad.push(read);
    else sets.push(read);
  }
  return { sets, bad };
}

/** Given a store and the name of a job, return the newest complete set that is there, if any. */
export async function findLastSet(store: Store, job: string): Promise<StoredSet | undefined> {
  for (const setId of (await listIds(store, job)).toReversed()) {
    const read = await readSet(store, job, setId);
    if (read && "manifest" in read && read.manifest.result === "complete") return read;
  }
  return undefined;
}

async function listIds(store: Store, job: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(manifestPrefix(job))) {
    const [, setId] = /([^/]+)\.json$/.exec(key) ?? [];
    if (setId !== undefined && readSetTime(setId)) found.push(setId);
  }
  return found.toSorted();
}

/** Undefined where it was pruned meanwhile. */
async function readSet(
  store: Store,
  job: string,
  setId: string,
): Promise<StoredSet | BadManifest | undefined> {
  const text = await readText(store, manifestKey(job, setId)).catch((error: unknown) => {
    if (error instanceof NotStoredError) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return { job, setId, store, manifest: parseManifest(text, job, setId) };
  } catch (error) {
    return { job, setId, store, problem: describeError(error) };
  }
}
