import {
  findBound,
  hashRows,
  type Key,
  type Range,
  writeRange,
} from "../services/mysql/hash-rows.ts";
import { countOf } from "../system/quantities.ts";
import { type CompareOptions, hashBoth, isSame, type TablePair } from "./table-pair.ts";
import { confirmRows } from "./confirm-rows.ts";

/** Pieces into which one that differs is cut. */
const PIECES = 8;
/** So few rows are compared one by one. */
const FEW_ROWS = 500;
/** So many are not, even where they cannot be cut: they would all have to be kept. */
const MANY_ROWS = 200_000;

/** Given a range that differs, find the rows in it that do, and report those that go on to. */
export async function narrowDifference(
  table: TablePair,
  range: Range,
  options: CompareOptions,
): Promise<void> {
  const { pair, steer, draft } = options;
  await steer.giveWay();
  // Most of what differs has only not arrived yet.
  await pair.catchUp?.(steer.maxLagSeconds);
  const both = await hashBoth(table, range, pair);
  if (isSame(both)) return;
  const rows = Math.max(both[0].rows, both[1].rows);
  const pieces = rows > FEW_ROWS ? await cut(table, range, Math.ceil(rows / PIECES), options) : [];
  if (pieces.length <= 1) {
    if (rows <= MANY_ROWS) return compareOneByOne(table, range, options);
    const name = `${table.first.database}.${table.first.name}`;
    return draft.skip(
      name,
      `${countOf(rows, "row that differs", "rows that differ")} somewhere cannot be cut into pieces`,
    );
  }
  for (const piece of pieces) {
    if (draft.isFull()) return;
    if (!isSame(await hashBoth(table, piece, pair))) await narrowDifference(table, piece, options);
  }
}

/** Cut by the side that has the rows: the other may have lost them. */
async function cut(
  table: TablePair,
  { lower, upper }: Range,
  rows: number,
  { pair }: CompareOptions,
): Promise<Range[]> {
  for (const side of ["first", "second"] as const) {
    if (table[side].cutBy.length === 0) break;
    const pieces: Range[] = [];
    let begin = lower;
    // Meanwhile rows may be added: there is an end to it all the same.
    while (pieces.length < 4 * PIECES) {
      const bound = await findBound(pair[side], table[side], { lower: begin, upper }, rows);
      if (!bound || JSON.stringify(bound) === JSON.stringify(upper)) break;
      pieces.push({ lower: begin, upper: bound });
      begin = bound;
    }
    if (pieces.length > 0) return [...pieces, { lower: begin, upper }];
  }
  return [];
}

/** The rows that differ now; of those it is then seen whether they go on to. */
async function compareOneByOne(
  table: TablePair,
  range: Range,
  options: CompareOptions,
): Promise<void> {
  const { first, second } = options.pair;
  const where = writeRange(table.first.cutBy, range);
  const [here, there] = await Promise.all([
    hashRows(first, table.first, where),
    hashRows(second, table.second, where),
  ]);
  const suspects = new Map<string, Key>();
  for (const [name, { key, hash }] of here)
    if (there.get(name)?.hash !== hash) suspects.set(name, key);
  for (const [name, { key }] of there) if (!here.has(name)) suspects.set(name, key);
  if (suspects.size > 0) await confirmRows(table, suspects, options);
}
