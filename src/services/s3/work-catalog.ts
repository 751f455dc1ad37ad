import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../system/errors.ts";
import {
  type Catalog,
  type CatalogEnd,
  type CatalogHead,
  pickSplits,
  readCatalogFile,
} from "./catalog.ts";
import { putInPlace, writeLines } from "./line-file.ts";
import type { CatalogEntry } from "./object-entry.ts";
import { orderKeys } from "./order-keys.ts";

/** The catalog that a job keeps at hand, to know without asking what is in its copy. */
export interface WorkCatalog {
  /** Where it is, whole. */
  path: string;
  /** Read what is known; nothing at the first run. Called as often as it is needed. */
  read(): Promise<Catalog>;
  /** Of what is known; undefined at the first run. */
  end: CatalogEnd | undefined;
  /** There is no catalog at all, not even one of another pair: nothing has run yet, or it is lost. */
  isAbsent: boolean;
  /** When a run began that was killed; undefined: none was. */
  killedAt: string | undefined;
  /** Begin the one of this run. */
  write(head: CatalogHead): Promise<CatalogWriter>;
}

export interface CatalogWriter {
  /** Entries in the order of their keys, which are in the copy now. */
  add(entries: readonly CatalogEntry[]): Promise<void>;
  /** What was added is remembered whatever happens from now on. */
  keep(): Promise<void>;
  /** All is added: from now on this is what is known. `without`: keys that are in the copy no more. */
  finish(more: { auditedAt?: string; without: ReadonlySet<string> }): Promise<CatalogEnd>;
  /** What was kept stays, for the next run. */
  leave(): Promise<void>;
}

/**
 * Given the folder of a job whose lock is held and the identities of the two places, open its catalog. What a run has kept that was killed is made
 * a part of it first.
 */
export async function openWorkCatalog(
  folder: string,
  pair: Pick<CatalogHead, "source" | "copy">,
): Promise<WorkCatalog> {
  const path = join(folder, "catalog.ndjson");
  const partial = join(folder, "catalog.partial");
  const isOurs = (head: CatalogHead | undefined): boolean =>
    head?.source === pair.source && head.copy === pair.copy;
  const readOurs = async (from: string): Promise<Catalog> => {
    const catalog = await readCatalogFile(from);
    if (isOurs(catalog.head)) return catalog;
    await catalog.close();
    return { head: undefined, entries: nothing(), end: noEnd, close: () => Promise.resolve() };
  };
  const killed = await readOurs(partial);
  if (killed.head) await joinKilled(killed, await readOurs(path), path);
  await rm(partial, { force: true });
  const known = await readCatalogFile(path);
  await known.close();
  return {
    path,
    isAbsent: known.head === undefined,
    read: () => readOurs(path),
    end: isOurs(known.head) ? await readEnd(path) : undefined,
    killedAt: killed.head?.startedAt,
    write: (head) => beginWriter(head, partial, path),
  };
}

/** Keys of 1024 bytes at most, and so many splits. */
const LONGEST_END_BYTES = 512 * 1024;

async function* nothing(): AsyncGenerator<CatalogEntry[]> {
  // There is none.
}
const noEnd = (): undefined => undefined;

/** Its last line, without reading what comes before. */
async function readEnd(path: string): Promise<CatalogEnd | undefined> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, LONGEST_END_BYTES));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    const line = bytes.toString("utf8").trimEnd().split("\n").at(-1) ?? "";
    return line.startsWith('{"end":true,') ? (JSON.parse(line) as CatalogEnd) : undefined;
  } finally {
    await file.close();
  }
}

/** What the killed run has kept comes first, up to its last key; behind it is what was known before. */
async function joinKilled(killed: Catalog, known: Catalog, path: string): Promise<void> {
  if (!killed.head) return;
  const writer = await beginWriter(killed.head, `${path}.joined`, path);
  let last: string | undefined;
  for await (const entries of killed.entries) {
    last = entries.at(-1)?.key ?? last;
    // It has not come to its end: its listing does not count.
    await writer.add(entries.map(countDown));
  }
  for await (const entries of known.entries)
    await writer.add(entries.filter(({ key }) => last === undefined || orderKeys(key, last) > 0));
  const auditedAt = known.end()?.auditedAt;
  await writer.finish({ without: new Set(), ...(auditedAt !== undefined && { auditedAt }) });
}

function countDown({ missing, ...entry }: CatalogEntry): CatalogEntry {
  return missing === undefined || missing <= 1 ? entry : { ...entry, missing: missing - 1 };
}

async function beginWriter(
  head: CatalogHead,
  partial: string,
  path: string,
): Promise<CatalogWriter> {
  const writer = await writeLines(partial);
  await writer.write(JSON.stringify(head));
  await writer.sync();
  const splits = pickSplits();
  const sums = { objects: 0, bytes: 0, missing: 0 };
  const count = ({ key, size, missing }: CatalogEntry, by: 1 | -1): void => {
    if (missing !== undefined) sums.missing += by;
    else {
      sums.objects += by;
      sums.bytes += by * size;
      splits.see(key);
    }
  };
  return {
    add: async (entries) => {
      for (const entry of entries) {
        count(entry, 1);
        await writer.write(JSON.stringify(entry));
      }
    },
    keep: writer.sync,
    leave: () => writer.close(),
    finish: async ({ auditedAt, without }) => {
      await writer.sync();
      sums.missing -= without.size;
      const end: CatalogEnd = {
        end: true,
        ...sums,
        ...(auditedAt !== undefined && { auditedAt }),
        splits: splits.picked(),
      };
      if (without.size === 0) {
        await writer.write(JSON.stringify(end));
        await writer.sync();
        await writer.close();
        await putInPlace(partial, path);
        return end;
      }
      await writer.close();
      const shorter = await writeLines(`${path}.shorter`);
      await shorter.write(JSON.stringify(head));
      for await (const entries of (await readCatalogFile(partial)).entries)
        for (const entry of entries)
          if (!without.has(entry.key)) await shorter.write(JSON.stringify(entry));
      await shorter.write(JSON.stringify(end));
      await shorter.sync();
      await shorter.close();
      await putInPlace(`${path}.shorter`, path);
      await rm(partial);
      return end;
    },
  };
}
