import { OperatorError } from "../../system/errors.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogEntry } from "./object-entry.ts";

/**
 * Given a catalog and what of it is wanted (`--only`: a key, or what keys begin with up to a slash; absent: all), return the objects that the source
 * had then. A key that is named whole is returned too where the copy alone had it still. Throws `usage` where there is none.
 */
export async function* pickObjects(
  catalog: Catalog,
  only: string | undefined,
): AsyncGenerator<CatalogEntry[]> {
  const prefix = only === undefined || only.endsWith("/") ? only : `${only}/`;
  let isAny = false;
  for await (const entries of catalog.entries) {
    const picked = entries.filter(
      ({ key, missing }) =>
        key === only || (missing === undefined && (prefix === undefined || key.startsWith(prefix))),
    );
    isAny ||= picked.length > 0;
    if (picked.length > 0) yield picked;
  }
  if (!catalog.end()) throw new OperatorError("failed", "the catalog of the set is cut off");
  if (isAny || only === undefined) return;
  throw new OperatorError("usage", `the set has no object ${only}, and none whose key begins so`, {
    next: "name a key, or what keys begin with up to a slash; an earlier set may have it",
  });
}

/** Given entries and how many are wanted, return as many of them at random, each as likely as any other, and never more of them in memory. */
export async function sampleObjects(
  pages: AsyncIterable<readonly CatalogEntry[]>,
  count: number,
): Promise<CatalogEntry[]> {
  const sample: CatalogEntry[] = [];
  let seen = 0;
  for await (const entries of pages) {
    for (const entry of entries) {
      seen++;
      if (sample.length < count) sample.push(entry);
      else {
        const at = Math.floor(Math.random() * seen);
        if (at < count) sample[at] = entry;
      }
    }
  }
  return sample;
}
