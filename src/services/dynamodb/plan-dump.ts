import { OperatorError } from "../../system/errors.ts";
import { type Compression, compressionOf } from "../../system/compress.ts";
import type { Table } from "./describe-table.ts";
import type { ItemFormat } from "./dump-manifest.ts";

/** What is dumped, and to where. */
export interface DumpPlan {
  table: Table;
  account: string;
  region: string;
  path: string;
  itemFormat: ItemFormat;
  codec: Compression;
}

/** Of a provisioned table's read units, unless told otherwise: the applications must not starve. */
const DEFAULT_SHARE = 0.25;
/** A full page is 1 MB; read eventually consistent it costs that many units. */
const PAGE_UNITS = 128;
const UNIT_BYTES = 8192;

/** Given the table and where it stands, return the plan of its dump. Pure. */
export function planDump(
  table: Table,
  place: { account: string; region: string; path: string; itemFormat: ItemFormat },
): DumpPlan {
  return { table, ...place, codec: compressionOf(place.path) };
}

/**
 * Given `--max-rcu` as it was typed (`200`, `50%`) and the table, return how many read units a second may be spent: a quarter of
 * the provisioned ones where nothing is said, undefined (no limit) for a table on demand. Throws `usage`. Pure.
 */
export function planReadUnits(wish: string | undefined, table: Table): number | undefined {
  const provisioned = table.provisioned?.read;
  if (wish === undefined) return provisioned && Math.max(1, provisioned * DEFAULT_SHARE);
  const [, number = "", percent] = /^(\d{1,9}(?:\.\d{1,3})?)(%)?$/.exec(wish) ?? [];
  const value = Number(number);
  if (number === "" || value <= 0 || (percent && value > 100)) {
    throw new OperatorError("usage", `--max-rcu: ${JSON.stringify(wish)} is no number of units`, {
      next: "give units by the second, or their share of the provisioned ones: 200 or 50%",
    });
  }
  if (!percent) return value;
  if (provisioned === undefined) {
    throw new OperatorError(
      "usage",
      `--max-rcu: ${table.name} is on demand, and has no units to share`,
      {
        next: "give units by the second, e.g. 500",
      },
    );
  }
  return (provisioned * value) / 100;
}

/** Given the units that may be spent, return how many items a page may have, so that one page does not cost seconds; undefined: any. Pure. */
export function planPageLimit(
  unitsPerSecond: number | undefined,
  table: Table,
): number | undefined {
  if (unitsPerSecond === undefined || unitsPerSecond >= PAGE_UNITS) return undefined;
  const itemBytes = table.items > 0 ? Math.max(1, table.bytes / table.items) : 1024;
  return Math.max(1, Math.floor((unitsPerSecond * UNIT_BYTES) / itemBytes));
}
