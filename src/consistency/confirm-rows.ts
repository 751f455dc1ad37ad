import { setTimeout as wait } from "node:timers/promises";
import {
  describeRow,
  hashRows,
  type Key,
  readCells,
  type RowHashes,
  writeKeys,
} from "../services/mysql/hash-rows.ts";
import type { TableStructure } from "../services/mysql/read-structure.ts";
import type { Reader } from "../services/mysql/open-reader.ts";
import type { CompareOptions, TablePair } from "./table-pair.ts";
import { OperatorError } from "../system/errors.ts";
import { countOf } from "../system/quantities.ts";
import { nameDifference } from "./name-difference.ts";

/** Keys asked for at once. */
const BATCH = 200;
/** So often in a row a difference must be seen unchanged: what two writers move to and fro is seen to be equal before. */
const STABLE_LOOKS = 4;
/** One that changes all the while is looked at so often, and is then not decided. */
const MOST_LOOKS = 10;
/** More of them at once: the table is not to be decided on, and no more time is spent on it. */
const MOST_UNDECIDED = 50;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2_000;

/** What was seen of one row so far. */
interface Suspect {
  key: Key;
  seen: string | undefined;
  /** How often in a row. */
  times: number;
}

/**
 * Given rows that differed once, report those that differ for good: the first side is asked before and after the second, which is asked only once it has all that
 * the first had written by then. Equal once is equal; a difference must stay the same through several looks.
 */
export async function confirmRows(
  table: TablePair,
  suspects: ReadonlyMap<string, Key>,
  options: CompareOptions,
): Promise<void> {
  const all = [...suspects];
  for (let at = 0; at < all.length && !options.draft.isFull(); at += BATCH)
    await confirmBatch(table, new Map(all.slice(at, at + BATCH)), options);
}

async function confirmBatch(
  table: TablePair,
  keys: ReadonlyMap<string, Key>,
  options: CompareOptions,
): Promise<void> {
  const { pair, steer, draft } = options;
  const left = new Map<string, Suspect>(
    [...keys].map(([name, key]) => [name, { key, seen: undefined, times: 0 }]),
  );
  const name = `${table.first.database}.${table.first.name}`;
  let pauseMs = Math.max(FIRST_PAUSE_MS, pair.patienceMs / (STABLE_LOOKS - 1));
  const longestMs = Math.max(LONGEST_PAUSE_MS, pauseMs);
  for (let look = 0; look < MOST_LOOKS && left.size > 0; look++) {
    if (look > 0) await wait(pauseMs, undefined, { signal: steer.signal });
    pauseMs = Math.min(longestMs, pauseMs * 2);
    steer.signal.throwIfAborted();
    const wanted = [...left.values()].map(({ key }) => key);
    const before = await readRows(pair.first, table.first, wanted);
    if (pair.catchUp && !(await pair.catchUp(steer.maxLagSeconds))) {
      // What it has not got yet is no difference; whether it comes is not known.
      await steer.giveWay();
      continue;
    }
    const there = await readRows(pair.second, table.second, wanted);
    const after = await readRows(pair.first, table.first, wanted);
    for (const [row, suspect] of left) {
      const [one, other, again] = [before, there, after].map((rows) => rows.get(row)?.hash);
      if (other === one || other === again) {
        left.delete(row);
        continue;
      }
      const seen = one === again ? `${one} ${other}` : undefined;
      suspect.times = seen !== undefined && seen === suspect.seen ? suspect.times + 1 : 1;
      suspect.seen = seen;
      if (seen === undefined || suspect.times < STABLE_LOOKS) continue;
      left.delete(row);
      await report(
        table,
        suspect.key,
        { isHere: one !== undefined, isThere: other !== undefined },
        options,
      );
    }
  }
  if (left.size === 0) return;
  const [first] = left.values();
  const some = first && describeRow(table.first.identity, first.key);
  const why = `${countOf(left.size, "row")} changed whenever looked at, or did not arrive in time: ${some}`;
  if (left.size > MOST_UNDECIDED) throw new OperatorError("failed", why);
  draft.skip(name, why);
}

function readRows(reader: Reader, table: TableStructure, keys: readonly Key[]): Promise<RowHashes> {
  const where = table.identity.length > 0 ? writeKeys(table.identity, keys) : "TRUE";
  return hashRows(reader, table, where);
}

async function report(
  table: TablePair,
  key: Key,
  where: { isHere: boolean; isThere: boolean },
  { pair, draft }: CompareOptions,
): Promise<void> {
  const { first, second } = table;
  const object = `${first.database}.${first.name}`;
  const hasKey = first.identity.length > 0;
  const row = hasKey ? { key: describeRow(first.identity, key) } : {};
  const [here, there] = pair.names;
  if (!where.isThere || !where.isHere) {
    const [kind, detail] = where.isHere
      ? ["missing", `the row is not on ${there}`]
      : ["extra", `the row is on ${there} only`];
    draft.find({ object, ...row, kind, detail });
    return;
  }
  const [ours, theirs] = [
    await readCells(pair.first, first, key),
    await readCells(pair.second, second, key),
  ];
  for (const [index, column] of first.columns.entries()) {
    const [one, other] = [ours?.[index], theirs?.[index]];
    if (!one || !other || one.hash === other.hash) continue;
    const detail = `${nameDifference(column, one, other)}, ${here} against ${there}`;
    draft.find({ object, ...row, column: column.name, kind: "changed", detail });
  }
}
