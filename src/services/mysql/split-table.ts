import { createHash } from "node:crypto";
import type { PartRecord } from "../set-content.ts";
import { quoteName, type Session } from "./open-server.ts";
import { type Database, TRANSACTIONAL } from "./read-inventory.ts";

/** A table that is dumped and restored by ranges of its primary key, each on its own. */
export interface Split {
  /** The key's first column, of whole numbers. */
  column: string;
  /** Where each range but the first begins, ascending. */
  bounds: readonly bigint[];
}

/** Splits by `database.table`. */
export type Splits = ReadonlyMap<string, Split>;

/** A smaller one is read before another program has begun. */
const SPLIT_BYTES = 64 * 1024 * 1024;
const WHOLE_NUMBERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];

/** Given databases and how many streams are worth having, return how their large tables are split: those that are more than one stream's share of all, as far as their key allows. */
export async function planSplits(
  session: Session,
  databases: readonly Database[],
  parallel: number,
  splitBytes = SPLIT_BYTES,
): Promise<Splits> {
  const all = databases.flatMap((database) =>
    database.tables.map((table) => ({ database: database.name, ...table })),
  );
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const splits = new Map<string, Split>();
  for (const { database, name, bytes, engine } of all) {
    const share = (parallel * bytes) / total;
    if (bytes < splitBytes || share <= 1 || !TRANSACTIONAL.has(engine)) continue;
    const split = await findRanges(session, database, name, Math.ceil(share));
    if (split && split.bounds.length > 0) splits.set(`${database}.${name}`, split);
  }
  return splits;
}

async function findRanges(
  session: Session,
  database: string,
  table: string,
  count: number,
): Promise<Split | undefined> {
  const [key] = await session.query(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
     JOIN information_schema.STATISTICS USING (TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME)
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' AND SEQ_IN_INDEX = 1`,
    [database, table],
  );
  const column = String(key?.["name"]);
  // The dump repeats the condition in a comment: a name with a line break would be more than that.
  if (!key || !WHOLE_NUMBERS.includes(String(key["type"])) || !/^[\w$]+$/.test(column))
    return undefined;
  const [ends] = await session.query(
    `SELECT CAST(MIN(${quoteName(column)}) AS CHAR) AS low, CAST(MAX(${quoteName(column)}) AS CHAR) AS high FROM ${quoteName(database)}.${quoteName(table)}`,
  );
  const [low, high] = [ends?.["low"] ?? undefined, ends?.["high"] ?? undefined];
  // An empty one has neither.
  if (low === undefined || high === undefined) return undefined;
  return { column, bounds: divide(BigInt(low), BigInt(high), count) };
}

/** Evenly by the key: it mostly counts up. */
function divide(low: bigint, high: bigint, count: number): bigint[] {
  const bounds = Array.from(
    { length: count - 1 },
    (_, index) => low + ((high - low) * BigInt(index + 1)) / BigInt(count),
  );
  return [...new Set(bounds)].filter((bound) => bound > low);
}

/** Given a split, return the condition of each of its ranges as SQL; every row is in one of them. Pure. */
export function conditionsOf({ column, bounds }: Split): string[] {
  const name = quoteName(column);
  return [...bounds, undefined].map((to, index) => {
    const from = bounds[index - 1];
    return [
      ...(from === undefined ? [] : [`${name} >= ${from}`]),
      ...(to === undefined ? [] : [`${name} < ${to}`]),
    ].join(" AND ");
  });
}

/** Given the version of the dump program, a split and the parts of its table, return the checksum of the table: that of a second dump at the same bounds, and of no other. Pure. */
export function checksumOfSplit(
  version: string,
  { column, bounds }: Split,
  parts: readonly Pick<PartRecord, "role" | "seq" | "plain">[],
): string {
  const digests = parts
    .map(({ role, seq, plain }) => `${role} ${String(seq).padStart(6, "0")} ${plain.sha256}\n`)
    .toSorted();
  const hash = createHash("sha256").update(digests.join("")).digest("hex");
  return `sha256 of its dump by ${version}, split at ${column} ${bounds.join(",")}:${hash}`;
}

/** Given such a checksum, return the split; undefined where the table was dumped whole. Pure. */
export function parseSplit(checksum: string | undefined): Split | undefined {
  const [, column, bounds] = /, split at (\S+) ([-\d,]+):/.exec(checksum ?? "") ?? [];
  if (column === undefined || bounds === undefined) return undefined;
  return { column, bounds: bounds.split(",").map(BigInt) };
}
