import { hashRange, type Key, type Range, type RangeHash } from "../services/mysql/hash-rows.ts";
import type { TableStructure } from "../services/mysql/read-structure.ts";
import type { Pair } from "./pair.ts";
import type { ReportDraft } from "./report.ts";
import type { Steer } from "./steer.ts";

/** A table on both sides. */
export interface TablePair {
  first: TableStructure;
  second: TableStructure;
}

export interface CompareOptions {
  pair: Pair;
  steer: Steer;
  draft: ReportDraft;
  update: (line: string) => void;
  /** Where an earlier run came to; absent: from the first row. */
  begin?: Key;
  /** Told of a place up to which all has been compared and judged. */
  passed: (key: Key) => void;
}

/** Both at once: of what is being written they see as nearly the same as can be. */
export function hashBoth(
  table: TablePair,
  range: Range,
  pair: Pair,
): Promise<[RangeHash, RangeHash]> {
  return Promise.all([
    hashRange(pair.first, table.first, range),
    hashRange(pair.second, table.second, range),
  ]);
}

/** What could not be hashed in one piece is not the same as anything. Pure. */
export function isSame([here, there]: readonly [RangeHash, RangeHash]): boolean {
  return here.hash !== undefined && here.hash === there.hash && here.rows === there.rows;
}
