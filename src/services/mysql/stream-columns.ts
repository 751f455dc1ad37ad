import { type Key, findBound, keySql, writeRange } from "./hash-rows.ts";
import type { Reader } from "./open-reader.ts";
import { quoteName } from "./open-server.ts";
import { quoteTable, type TableStructure } from "./read-structure.ts";

/** One row, as far as something elsewhere belongs to it. */
export interface ColumnsRow {
  /** Of the row. */
  key: Key;
  /** The texts of the columns that were asked for; undefined: NULL. */
  values: (string | undefined)[];
  isYoung: boolean;
}

const ROWS = 5_000;

interface ColumnsOptions {
  columns: readonly string[];
  /** When the row was written, in UTC; absent: no row is young. */
  changedColumn: string | undefined;
  graceMinutes: number;
}

/** Given a table that has a key, call `take` with each of its rows, in the order of the key; between two questions `between` is awaited. */
export async function streamColumns(
  reader: Reader,
  table: TableStructure,
  options: ColumnsOptions,
  take: (row: ColumnsRow) => void,
  between: () => Promise<void>,
): Promise<void> {
  let lower: Key | undefined;
  for (let isOver = false; !isOver;) {
    await between();
    const upper = await findBound(reader, table, { lower, upper: undefined }, ROWS);
    isOver = upper === undefined;
    for (const row of await read(reader, table, options, writeRange(table.cutBy, { lower, upper })))
      take(row);
    lower = upper;
  }
}

/** Given a table and values of the first of the columns, return the rows that have them now. */
export async function findWithValues(
  reader: Reader,
  table: TableStructure,
  options: ColumnsOptions,
  values: readonly (readonly string[])[],
): Promise<ColumnsRow[]> {
  const [first] = values;
  if (!first) return [];
  const by = options.columns.slice(0, first.length);
  const one = by.map((column) => `${quoteName(column)} = ?`).join(" AND ");
  const where = values.map(() => `(${one})`).join(" OR ");
  return read(reader, { ...table, index: undefined }, options, where, values.flat());
}

async function read(
  reader: Reader,
  table: TableStructure,
  { columns, changedColumn, graceMinutes }: ColumnsOptions,
  where: string,
  values: readonly string[] = [],
): Promise<ColumnsRow[]> {
  const texts = columns.map((column, index) => `CONCAT(${quoteName(column)}) AS v${index}`);
  const young =
    changedColumn === undefined
      ? "0"
      : `COALESCE(${quoteName(changedColumn)} > NOW() - INTERVAL ${graceMinutes} MINUTE, 0)`;
  const index = table.index === undefined ? "" : ` FORCE INDEX (${quoteName(table.index)})`;
  const rows = await reader.query(
    `SELECT ${keySql.select(table.identity)}, ${texts.join(", ")}, ${young} AS young FROM ${quoteTable(table)}${index} WHERE ${where}`,
    values,
  );
  return rows.map((row) => ({
    key: keySql.read(row, table.identity),
    values: columns.map((_, at) => {
      const value = row[`v${at}`];
      return value === null || value === undefined ? undefined : String(value);
    }),
    isYoung: Number(row["young"]) === 1,
  }));
}
