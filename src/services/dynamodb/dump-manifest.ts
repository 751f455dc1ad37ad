import { readFile } from "node:fs/promises";
import { errorCode, OperatorError } from "../../system/errors.ts";
import type { Compression } from "../../system/compress.ts";
import type { Table } from "./describe-table.ts";
import type { Segment } from "./scan-table.ts";

/** How the items of a dump are written: as the service has them, or for reading. */
export type ItemFormat = "dynamodb" | "plain";

/** What stands beside a dump and proves that it is whole. */
export interface DumpManifest {
  kind: "lcops-dump";
  version: 1;
  complete: true;
  table: Table;
  account: string;
  region: string;
  itemFormat: ItemFormat;
  codec: Compression;
  startedAt: string;
  endedAt: string;
  /** How often it was resumed; no dump of a table that is written to is a snapshot, and one that was resumed less so. */
  resumed: number;
  items: number;
  /** Of the items as the service sent them. */
  itemBytes: number;
  fileBytes: number;
  /** Of the file. */
  sha256: string;
  consumedUnits: number;
  segments: readonly Pick<Segment, "items" | "bytes">[];
}

/** Given the path of a dump, return that of its manifest. Pure. */
export const manifestPath = (path: string): string => `${path}.manifest.json`;

/** Given the path of a dump, return its manifest; undefined where it has none. Throws `failed` where it is none of ours. */
export async function readManifest(path: string): Promise<DumpManifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(manifestPath(path), "utf8")) as DumpManifest | null;
    if (manifest?.kind === "lcops-dump" && manifest.version === 1) return manifest;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new OperatorError("failed", `${manifestPath(path)} is no manifest of a dump`, {
    next: "restore it, or move it away to go without",
  });
}
