import { describeError, OperatorError } from "../../system/errors.ts";
import { readLines, splitLines } from "./line-file.ts";
import type { CatalogEntry } from "./object-entry.ts";
import { orderKeys } from "./order-keys.ts";

export const CATALOG_FORMAT = "lcops-objects/1";

/** First line of a catalog: of what it is. */
export interface CatalogHead {
  format: typeof CATALOG_FORMAT;
  /** Identities of the source and of the copy: the catalog of another pair says nothing. */
  source: string;
  copy: string;
  setId: string;
  startedAt: string;
}

/** Last line of a catalog: what was written up to it is all of it. */
export interface CatalogEnd {
  end: true;
  /** Objects that the source had, as far as they are in the copy. */
  objects: number;
  bytes: number;
  /** Objects of the copy that the source has no more. */
  missing: number;
  /** When the copy itself was last looked through, and not the catalog alone. */
  auditedAt?: string;
  /** Keys that part the objects into ranges of about one size, for the next listing. */
  splits: readonly string[];
}

export interface Catalog {
  head: CatalogHead | undefined;
  /** In the order of their keys. */
  entries: AsyncGenerator<CatalogEntry[]>;
  /** Known once the entries have been read to their end; undefined: it is cut off. */
  end: () => CatalogEnd | undefined;
  /** Instead of reading the entries. */
  close: () => Promise<void>;
}

/** Given the lines of a catalog, return it. The entries throw where they are no catalog's; an empty one has no head. */
async function readCatalog(lines: AsyncGenerator<string[]>): Promise<Catalog> {
  const first = await lines.next();
  const begin = first.done ? [] : first.value;
  const head = begin[0] === undefined ? undefined : (JSON.parse(begin[0]) as CatalogHead);
  if (head && head.format !== CATALOG_FORMAT)
    throw new Error(`a catalog of the format ${String(head.format)}`);
  let end: CatalogEnd | undefined;
  const entries = async function* (): AsyncGenerator<CatalogEntry[]> {
    let last: string | undefined;
    const parse = (texts: readonly string[]): CatalogEntry[] => {
      const parsed: CatalogEntry[] = [];
      for (const text of texts) {
        if (end) throw new Error("the catalog goes on behind its end");
        const line = JSON.parse(text) as CatalogEntry | CatalogEnd;
        if ("end" in line) end = line;
        else {
          if (last !== undefined && orderKeys(last, line.key) >= 0)
            throw new Error("the catalog is out of order");
          last = line.key;
          parsed.push(line);
        }
      }
      return parsed;
    };
    try {
      yield parse(begin.slice(1));
      for await (const texts of lines) yield parse(texts);
    } finally {
      await lines.return(undefined);
    }
  };
  const close = async (): Promise<void> => void (await lines.return(undefined));
  return { head, entries: entries(), end: () => end, close };
}

/** Given the path of a catalog, return it; one that is not there has no head. Throws `failed`, as its entries do, where it is damaged. */
export async function readCatalogFile(path: string): Promise<Catalog> {
  const explain = (error: unknown): never => {
    throw new OperatorError("failed", `${path} is damaged: ${describeError(error)}`, {
      next: "move it away, and run it again: what it remembers is then copied anew",
      cause: error,
    });
  };
  const { entries, ...catalog } = await readCatalog(readLines(path)).catch(explain);
  const explained = async function* (): AsyncGenerator<CatalogEntry[]> {
    try {
      yield* entries;
    } catch (error) {
      explain(error);
    }
  };
  return { ...catalog, entries: explained() };
}

/** Given the bytes of a catalog, return it. Throws, as its entries do, where they are none. */
export function parseCatalog(bytes: AsyncIterable<Uint8Array>): Promise<Catalog> {
  return readCatalog(splitLines(decode(bytes)));
}

async function* decode(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

const MOST_SPLITS = 64;

/** Return what picks keys that part all that it is told of into ranges of about one size, without knowing how many will come. */
export function pickSplits(): { see: (key: string) => void; picked: () => string[] } {
  let stride = 1024;
  let seen = 0;
  let splits: string[] = [];
  return {
    see: (key) => {
      if (++seen % stride !== 0) return;
      splits.push(key);
      if (splits.length < MOST_SPLITS) return;
      splits = splits.filter((_, index) => index % 2 === 1);
      stride *= 2;
    },
    picked: () => splits,
  };
}
