import { findBound } from "../services/mysql/hash-rows.ts";
import type { TableStructure } from "../services/mysql/read-structure.ts";
import { countOf } from "../system/quantities.ts";
import { narrowDifference } from "./narrow-difference.ts";
import { describeWhy } from "./pair.ts";
import { OutOfTime } from "./steer.ts";
import { type CompareOptions, hashBoth, isSame, type TablePair } from "./table-pair.ts";

/** Without a key a table is compared as a whole, and so must be small. */
const KEYLESS_ROWS = 20_000;
const KEYLESS_BYTES = 8 * 1024 * 1024;

/**
 * Given a table on both sides, compare their rows range by range while others write, and report each row that differs for good. A range that differs is
 * looked at more closely at once: what only had not arrived yet is seen to arrive. Returns whether nothing is left to do: not where a side could not be asked.
 */
export async function compareRows(table: TablePair, options: CompareOptions): Promise<boolean> {
  const { first, second } = table;
  const { draft } = options;
  const name = `${first.database}.${first.name}`;
  const obstacle = findObstacle(first, second);
  if (obstacle !== undefined) {
    draft.skip(name, obstacle);
    return true;
  }
  const { columns, lacking } = pickCommon(first, second);
  for (const column of lacking)
    draft.find({ object: name, column, kind: "column", detail: "one side has it, the other not" });
  const comparable = { first: { ...first, columns }, second: { ...second, columns } };
  try {
    await (first.cutBy.length === 0
      ? narrowDifference(comparable, { lower: undefined, upper: undefined }, options)
      : comparePieces(comparable, options));
    draft.look("tables", 1);
    return true;
  } catch (error) {
    options.steer.signal.throwIfAborted();
    if (error instanceof OutOfTime) throw error;
    draft.leave(name, describeWhy(error));
    return false;
  }
}

function findObstacle(first: TableStructure, second: TableStructure): string | undefined {
  const isSmall = [first, second].every(
    ({ rows, bytes }) => rows <= KEYLESS_ROWS && bytes <= KEYLESS_BYTES,
  );
  if (first.cutBy.length === 0 && !isSmall)
    return "it has no key of numbers, times or texts by which it could be cut into pieces, and is too large to be compared as a whole";
  if (first.columns.length === 0) return "it has no stored column";
  const isSame = first.identity.every((column, index) => {
    const other = second.identity[index];
    return (
      other !== undefined &&
      other.name === column.name &&
      other.collation === column.collation &&
      other.charset === column.charset
    );
  });
  // Another order cuts other pieces.
  return isSame && first.identity.length === second.identity.length
    ? undefined
    : "its key is declared otherwise on the two sides, and its pieces would not be the same";
}

function pickCommon(first: TableStructure, second: TableStructure) {
  const here = new Map(first.columns.map((column) => [column.name, column]));
  const there = new Set(second.columns.map(({ name }) => name));
  const columns = first.columns.filter(({ name }) => there.has(name));
  const all = new Set([...here.keys(), ...there]);
  return { columns, lacking: [...all].filter((name) => !here.has(name) || !there.has(name)) };
}

async function comparePieces(table: TablePair, options: CompareOptions): Promise<void> {
  const { pair, steer, draft } = options;
  let lower = options.begin;
  let [size, rows] = [1_000, 0];
  for (let isOver = false; !isOver;) {
    await steer.giveWay();
    const upper = await findBound(pair.first, table.first, { lower, upper: undefined }, size);
    isOver = upper === undefined;
    const range = { lower, upper };
    const began = performance.now();
    const both = await hashBoth(table, range, pair);
    const [here] = both;
    size = steer.nextSize(here.rows, here.bytes, performance.now() - began);
    if (!isSame(both)) await narrowDifference(table, range, options);
    rows += here.rows;
    draft.look("rows", here.rows);
    options.update(`${table.first.database}.${table.first.name}: ${countOf(rows, "row")}`);
    if (upper) options.passed(upper);
    lower = upper;
    if (draft.isFull()) return draft.skip(`${table.first.database}.${table.first.name}`, FULL);
  }
}

const FULL = "too many differences: the rest of it is not looked at";
