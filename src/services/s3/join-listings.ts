import type { CatalogEntry, ListedObject } from "./object-entry.ts";
import { orderKeys } from "./order-keys.ts";

/** A key that the source has now, that the catalog knows, or both. */
export type Pair =
  | { listed: ListedObject; known?: CatalogEntry }
  | { listed?: undefined; known: CatalogEntry };

/** Given a listing and a catalog, both in the order of their keys, return them key by key. */
export async function* joinListings(
  listing: AsyncIterable<readonly ListedObject[]>,
  catalog: AsyncIterable<readonly CatalogEntry[]>,
): AsyncGenerator<Pair[]> {
  const known = stepThrough(catalog);
  await known.load();
  for await (const page of listing) {
    const pairs: Pair[] = [];
    for (const listed of page) {
      for (;;) {
        const entry = known.current() ?? (await known.load());
        const order = entry ? orderKeys(entry.key, listed.key) : 1;
        if (!entry || order > 0) {
          pairs.push({ listed });
          break;
        }
        known.step();
        if (order === 0) {
          pairs.push({ listed, known: entry });
          break;
        }
        pairs.push({ known: entry });
      }
    }
    yield pairs;
  }
  for (;;) {
    const entry = known.current() ?? (await known.load());
    if (!entry) return;
    known.step();
    yield [{ known: entry }];
  }
}

/** Items of pages, one after the other, without waiting for each. */
function stepThrough<T>(pages: AsyncIterable<readonly T[]>): {
  current: () => T | undefined;
  step: () => void;
  /** The next page's first, or undefined at the end. */
  load: () => Promise<T | undefined>;
} {
  const iterator = pages[Symbol.asyncIterator]();
  let page: readonly T[] = [];
  let at = 0;
  let isOver = false;
  return {
    current: () => page[at],
    step: () => void at++,
    load: async () => {
      while (at >= page.length && !isOver) {
        const next = await iterator.next();
        isOver = next.done === true;
        page = next.done ? [] : next.value;
        at = 0;
      }
      return page[at];
    },
  };
}
