import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CATALOG_FORMAT } from "../../../src/services/s3/catalog.ts";
import type { CatalogEntry } from "../../../src/services/s3/object-entry.ts";
import { openWorkCatalog, type WorkCatalog } from "../../../src/services/s3/work-catalog.ts";

const PAIR = { source: "one", copy: "other" };
const HEAD = {
  format: CATALOG_FORMAT,
  ...PAIR,
  setId: "20260131T021500Z-7f3a9c",
  startedAt: "2026-01-31T02:15:00.000Z",
} as const;
const entry = (key: string, etag = "e", more: Partial<CatalogEntry> = {}): CatalogEntry => ({
  key,
  size: 1,
  etag,
  modified: "2026-01-31T02:15:00Z",
  copy: {},
  ...more,
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lcops-catalog-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const openIt = (): Promise<WorkCatalog> => openWorkCatalog(folder, PAIR);

async function read(work: WorkCatalog): Promise<string[]> {
  const found: string[] = [];
  for await (const entries of (await work.read()).entries)
    found.push(...entries.map(({ key, etag, missing }) => `${key} ${etag} ${missing ?? 0}`));
  return found;
}

async function write(entries: readonly CatalogEntry[], without: string[] = []): Promise<void> {
  const writer = await (await openIt()).write(HEAD);
  await writer.add(entries);
  await writer.finish({ without: new Set(without) });
}

test("what a run has kept that was killed comes first, and what was known before comes behind it", async () => {
  await write([entry("a"), entry("b", "e", { missing: 1 }), entry("c"), entry("d")]);
  const killed = await (await openIt()).write({ ...HEAD, setId: "20260131T031500Z-7f3a9c" });
  await killed.add([entry("a", "new"), entry("b", "e", { missing: 2 }), entry("bb", "new")]);
  await killed.keep();
  // What was being written when it was killed.
  appendFileSync(path.join(folder, "catalog.partial"), '{"key":"c","size":1,"etag":"ne');
  await killed.leave();
  const work = await openIt();
  // Its listing does not count.
  expect(await read(work)).toEqual(["a new 0", "b e 1", "bb new 0", "c e 0", "d e 0"]);
  expect(work.killedAt).toBe(HEAD.startedAt);
  expect(work.end).toMatchObject({ objects: 4, missing: 1, bytes: 4 });
  // Once.
  expect((await openIt()).killedAt).toBeUndefined();
});

test("a run that was killed before it kept anything has touched nothing; the first one is known to have begun", async () => {
  const killed = await (await openIt()).write(HEAD);
  await killed.add([entry("a")]);
  // Never flushed.
  const work = await openIt();
  expect((await work.read()).head).toMatchObject(PAIR);
  expect(await read(work)).toEqual([]);
  await killed.leave().catch(() => undefined);
});

test("the catalog of another pair of places says nothing", async () => {
  await write([entry("a")]);
  const other = await openWorkCatalog(folder, { ...PAIR, copy: "a third" });
  expect((await other.read()).head).toBeUndefined();
  expect(other.end).toBeUndefined();
  expect(await read(other)).toEqual([]);
});

test("what was removed from the copy is in it no more, and its end says so", async () => {
  await write([entry("a"), entry("b", "e", { missing: 2 }), entry("c")], ["b"]);
  const work = await openIt();
  expect(await read(work)).toEqual(["a e 0", "c e 0"]);
  expect(work.end).toMatchObject({ objects: 2, missing: 0 });
});

test("one that is damaged is not believed, and named", async () => {
  await write([entry("a"), entry("b")]);
  const file = path.join(folder, "catalog.ndjson");
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, [lines[0], lines[2], lines[1], lines[3], ""].join("\n"));
  await expect(read(await openIt())).rejects.toThrow(
    `${file} is damaged: the catalog is out of order`,
  );
  writeFileSync(file, "\0\0\n");
  await expect(openIt()).rejects.toThrow(`${file} is damaged`);
});

test("what is looked at and not read is closed again", async () => {
  await write([entry("a")]);
  const isOpen = (): boolean =>
    readdirSync("/proc/self/fd").some((one) => {
      try {
        return readlinkSync(`/proc/self/fd/${one}`).startsWith(folder);
      } catch {
        return false;
      }
    });
  for (const copy of ["other", "a third"]) await openWorkCatalog(folder, { ...PAIR, copy });
  // The last close is on its way.
  await expect.poll(isOpen).toBe(false);
});
