import type { Reader } from "./open-reader.ts";
import { quoteName, type Row } from "./open-server.ts";
import { quoteTable, type TableColumn, type TableStructure } from "./read-structure.ts";

/**
 * How a row becomes bytes of which no two rows share any: each column one after the other, `#` between them, `;` behind the row. What cannot
 * contain a `#` (numbers, times) stands as its text, or `n` for NULL; all else has its length in front, `n` for NULL. A value that is longer
 * than this is represented by its SHA-256, so that a row that no packet could carry (whose CONCAT would be NULL) is compared too.
 */
const LONG_BYTES = 1024;

const NUMERIC = new Set("tinyint smallint mediumint int bigint decimal year".split(" "));
const TEMPORAL = new Set("date datetime timestamp time".split(" "));
const FLOATING = new Set(["float", "double"]);

/** SQL for one column's place in the row. Pure. */
function encodeColumn({ name, type, isNullable, mostBytes = Infinity }: TableColumn): string {
  const column = quoteName(name);
  const orNull = (text: string): string => (isNullable ? `IFNULL(${text}, 'n')` : text);
  if (NUMERIC.has(type) || TEMPORAL.has(type)) return orNull(column);
  // The text of a FLOAT has six digits, that of a DOUBLE all.
  if (FLOATING.has(type)) return orNull(`(${column} + 0e0)`);
  if (type === "bit") return orNull(`(${column} + 0)`);
  const bytes = bytesOf(column, type);
  const length = isNullable ? `IFNULL(LENGTH(${bytes}), 'n')` : `LENGTH(${bytes})`;
  // CONCAT_WS passes over NULL, which its length has told.
  if (mostBytes <= LONG_BYTES) return `${length}, CONVERT(${bytes} USING binary)`;
  return `${length}, IF(LENGTH(${bytes}) > ${LONG_BYTES}, SHA2(${bytes}, 256), CONVERT(${bytes} USING binary))`;
}

const SHAPES = new Set(
  "geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection".split(
    " ",
  ),
);
/** No string, but something that is printed as one. */
const PRINTED = new Set(["uuid", "inet6", "inet4"]);

/** SQL for the column as its stored bytes. */
function bytesOf(column: string, type: string): string {
  if (SHAPES.has(type)) return `ST_AsWKB(${column})`;
  return PRINTED.has(type) ? `CONCAT(${column})` : column;
}

/** SQL for a whole row. Where it is NULL all the same (very many columns, a very small packet), a value that equals nothing. Pure. */
function encodeRow(columns: readonly TableColumn[]): string {
  return `IFNULL(CONCAT_WS('#', ${columns.map(encodeColumn).join(", ")}), CONVERT(UUID() USING binary))`;
}

/** One value of a key: its text, or the hexadecimal digits of its bytes where it is a string. */
type KeyValue = string;
/** The values of a key's columns, in their order. */
export type Key = readonly KeyValue[];

/** Whether a key's value is the hexadecimal digits of its bytes. */
const isString = ({ type }: TableColumn): boolean =>
  ![NUMERIC, TEMPORAL, FLOATING, PRINTED].some((types) => types.has(type)) && type !== "bit";

/** SQL that gives a key's value as `Key` has it. Pure. */
function selectKey(column: TableColumn): string {
  const name = quoteName(column.name);
  if (isString(column)) return `HEX(${bytesOf(name, column.type)})`;
  if (FLOATING.has(column.type)) return `CONCAT(${name} + 0e0)`;
  return column.type === "bit" ? `CONCAT(${name} + 0)` : `CONCAT(${name})`;
}

/** A key's value as a literal: a string in the column's own character set, so that its index serves. Throws where it is none. Pure. */
function writeLiteral(column: TableColumn, value: KeyValue): string {
  const { type } = column;
  const isPrinted = PRINTED.has(type);
  const isSafe = isString(column) ? /^[0-9A-F]*$/ : isPrinted ? /^[0-9a-f:.-]+$/ : SAFE_NUMBER;
  if (!isSafe.test(value)) throw new Error(`${column.name} has a key that is no value of its type`);
  if (NUMERIC.has(type) || type === "bit") return value;
  // Without an exponent it is a decimal number.
  if (FLOATING.has(type)) return value.includes("e") ? value : `${value}e0`;
  if (TEMPORAL.has(type) || isPrinted) return `'${value}'`;
  return `_${column.charset ?? "binary"} X'${value}'`;
}

const SAFE_NUMBER = /^-?[0-9][0-9:. e+-]*$/;

/** Rows behind `lower` (undefined: from the first) up to and with `upper` (undefined: to the last). */
export interface Range {
  lower: Key | undefined;
  upper: Key | undefined;
}

/** SQL for a range of the columns that a table is cut by; written out, since row constructors are not read from an index. Pure. */
export function writeRange(columns: readonly TableColumn[], { lower, upper }: Range): string {
  const terms = [
    ...(lower ? [writeBound(columns, lower, ">", ">")] : []),
    ...(upper ? [writeBound(columns, upper, "<", "<=")] : []),
  ];
  return terms.length > 0 ? terms.join(" AND ") : "TRUE";
}

function writeBound(
  columns: readonly TableColumn[],
  key: Key,
  before: string,
  last: string,
): string {
  const [column, ...rest] = columns;
  if (!column) return "TRUE";
  const name = quoteName(column.name);
  const literal = writeLiteral(column, key[0] ?? "");
  if (rest.length === 0) return `${name} ${last} ${literal}`;
  // The first term alone bounds the index.
  return `(${name} ${before}= ${literal} AND (${name} ${before} ${literal} OR ${writeBound(rest, key.slice(1), before, last)}))`;
}

/** SQL for the rows with exactly these keys. Pure. */
export function writeKeys(columns: readonly TableColumn[], keys: readonly Key[]): string {
  const one = (key: Key): string =>
    columns
      .map(
        (column, index) => `${quoteName(column.name)} = ${writeLiteral(column, key[index] ?? "")}`,
      )
      .join(" AND ");
  return keys.map((key) => `(${one(key)})`).join(" OR ");
}

export interface RangeHash {
  rows: number;
  /** Bytes that went into it. */
  bytes: number;
  /** Undefined: it was too much for one question, and nothing is known of it. */
  hash: string | undefined;
}

const from = (table: TableStructure): string =>
  `FROM ${quoteTable(table)}${table.index === undefined ? "" : ` FORCE INDEX (${quoteName(table.index)})`}`;

/**
 * Given a table and a range of it, return one SHA-256 of all its rows in the order of their key. Cheaper than one of each row, and nothing cancels in it,
 * as two equal changes do in an XOR of row checksums.
 */
export async function hashRange(
  reader: Reader,
  table: TableStructure,
  range: Range,
): Promise<RangeHash> {
  const gathered = `GROUP_CONCAT(${encodeRow(table.columns)} SEPARATOR ';')`;
  const [row] = await reader.query(
    `SELECT rows_, LENGTH(text) AS bytes, SHA2(text, 256) AS hash FROM (SELECT COUNT(*) AS rows_, ${gathered} AS text ${from(table)} WHERE ${writeRange(table.cutBy, range)}) AS gathered`,
  );
  const [rows, bytes] = [Number(row?.["rows_"]), Number(row?.["bytes"] ?? 0)];
  // What is longer is cut off, with a warning alone.
  const isWhole = bytes < reader.gatherBytes - 4;
  return { rows, bytes, hash: isWhole ? String(row?.["hash"] ?? "") : undefined };
}

/** Given a table, a range and how many rows, return the key of the last of so many at its beginning; undefined: there are no more than that. */
export async function findBound(
  reader: Reader,
  table: TableStructure,
  range: Range,
  rows: number,
): Promise<Key | undefined> {
  const order = table.cutBy.map(({ name }) => quoteName(name)).join(", ");
  const [row] = await reader.query(
    `SELECT ${selectKeys(table.cutBy)} ${from(table)} WHERE ${writeRange(table.cutBy, range)} ORDER BY ${order} LIMIT ${Math.max(0, rows - 1)}, 1`,
  );
  return row && readKey(row, table.cutBy);
}

const selectKeys = (columns: readonly TableColumn[]): string =>
  columns.map((column, index) => `${selectKey(column)} AS k${index}`).join(", ");
const readKey = (row: Row, columns: readonly TableColumn[]): Key =>
  columns.map((_, index) => String(row[`k${index}`]));

/** How a row's key is asked for, and read from the answer. */
export const keySql = { select: selectKeys, read: readKey };

/** Rows by the text of their identity; without one, by their hash and how often it comes. */
export type RowHashes = Map<string, { key: Key; hash: string }>;

/** Given a table and SQL that picks rows of it, return each row's own SHA-256. */
export async function hashRows(
  reader: Reader,
  table: TableStructure,
  where: string,
): Promise<RowHashes> {
  const keys = table.identity.length > 0 ? `${selectKeys(table.identity)}, ` : "";
  const rows = await reader.query(
    `SELECT ${keys}SHA2(${encodeRow(table.columns)}, 256) AS hash ${from(table)} WHERE ${where}`,
  );
  const hashes: RowHashes = new Map();
  const seen = new Map<string, number>();
  for (const row of rows) {
    const hash = String(row["hash"]);
    if (table.identity.length > 0) {
      const key = readKey(row, table.identity);
      hashes.set(JSON.stringify(key), { key, hash });
      continue;
    }
    const count = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, count);
    hashes.set(`${hash} ${count}`, { key: [], hash });
  }
  if (hashes.size < rows.length)
    throw new Error(`two rows of ${table.database}.${table.name} have the same key`);
  return hashes;
}

/** Given rows by their keys, return of each the SHA-256 and the value of every column: the value as hexadecimal digits, undefined where it is NULL or long. */
export async function readCells(
  reader: Reader,
  table: TableStructure,
  key: Key,
): Promise<{ hash: string; hex: string | undefined; bytes: number | undefined }[] | undefined> {
  const columns = table.columns.map((column, index) => {
    const bytes = bytesOf(quoteName(column.name), column.type);
    return `SHA2(CONCAT_WS('#', ${encodeColumn(column)}), 256) AS h${index}, LENGTH(${bytes}) AS l${index}, IF(LENGTH(${bytes}) <= ${LONG_BYTES}, HEX(CONCAT(${bytes})), NULL) AS v${index}`;
  });
  const [row] = await reader.query(
    `SELECT ${columns.join(", ")} ${from(table)} WHERE ${writeKeys(table.identity, [key])}`,
  );
  if (!row) return undefined;
  return table.columns.map((_, index) => {
    const [hex, bytes] = [row[`v${index}`], row[`l${index}`]];
    return {
      hash: String(row[`h${index}`]),
      hex: typeof hex === "string" ? hex : undefined,
      bytes: bytes === null ? undefined : Number(bytes),
    };
  });
}

/** Given a table and a key of it, return it for people: `class_id=3, student_id=17`. Pure. */
export function describeRow(columns: readonly TableColumn[], key: Key): string {
  return columns
    .map((column, index) => `${column.name}=${describeValue(column, key[index] ?? "")}`)
    .join(", ");
}

function describeValue(column: TableColumn, value: KeyValue): string {
  if (!isString(column)) return value;
  const bytes = Buffer.from(value, "hex");
  const text = bytes.toString("utf8");
  const isText = column.charset !== undefined && Buffer.from(text, "utf8").equals(bytes);
  return isText ? text : `0x${value}`;
}
