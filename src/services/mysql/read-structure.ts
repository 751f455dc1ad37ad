import { quoteName, type Row, type Session } from "./open-server.ts";

/** A column, as far as its values can be compared. */
export interface TableColumn {
  name: string;
  /** `int`, `varchar`: without length and sign. */
  type: string;
  isNullable: boolean;
  /** Of text; undefined for bytes, numbers and times. */
  charset: string | undefined;
  collation: string | undefined;
  /** That a value of it can have at most; undefined where it is no string. */
  mostBytes: number | undefined;
}

/** What must be known of a table to compare its rows with another's. */
export interface TableStructure {
  database: string;
  name: string;
  /** Those that are stored. A virtual one is computed where it is read. */
  columns: TableColumn[];
  /** The columns that tell a row from any other, in the order of their index; empty where there are none. */
  identity: TableColumn[];
  /** The index of the identity. */
  index: string | undefined;
  /** As many of the identity's columns, from the first, as a table can be cut by. */
  cutBy: TableColumn[];
  /** The server's estimates. */
  rows: number;
  bytes: number;
}

/** Types whose order is that of their text or number, and that can be written down exactly. ENUM and SET are ordered by numbers that two servers need not share. */
const CUTTABLE = new Set(
  "tinyint smallint mediumint int bigint decimal date datetime timestamp time year char varchar binary varbinary uuid inet4 inet6".split(
    " ",
  ),
);

/** Given a session and the name of a database, return its tables, by name; no views, no sequences. */
export async function readStructure(session: Session, database: string): Promise<TableStructure[]> {
  const tables = await session.query(
    `SELECT TABLE_NAME AS name, COALESCE(TABLE_ROWS, 0) AS rows_, COALESCE(DATA_LENGTH, 0) AS bytes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY BINARY TABLE_NAME`,
    [database],
  );
  const columns = await session.query(
    `SELECT TABLE_NAME AS table_, COLUMN_NAME AS name, DATA_TYPE AS type, IS_NULLABLE AS nullable, CHARACTER_SET_NAME AS charset,
       COLLATION_NAME AS collation_, CHARACTER_OCTET_LENGTH AS octets, EXTRA AS extra
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY BINARY TABLE_NAME, ORDINAL_POSITION`,
    [database],
  );
  const indexes = await session.query(
    `SELECT TABLE_NAME AS table_, INDEX_NAME AS name, COLUMN_NAME AS column_, SUB_PART AS part
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0
     ORDER BY BINARY TABLE_NAME, INDEX_NAME <> 'PRIMARY', BINARY INDEX_NAME, SEQ_IN_INDEX`,
    [database],
  );
  return tables.map((table): TableStructure => {
    const name = String(table["name"]);
    const own = columns
      .filter((row) => row["table_"] === name && !/VIRTUAL GENERATED/i.test(String(row["extra"])))
      .map((row): TableColumn => ({
        name: String(row["name"]),
        type: String(row["type"]).toLowerCase(),
        isNullable: row["nullable"] === "YES",
        charset: textOf(row["charset"]),
        collation: textOf(row["collation_"]),
        mostBytes: row["octets"] === null ? undefined : Number(row["octets"]),
      }));
    const key = pickKey(
      own,
      indexes.filter((row) => row["table_"] === name),
    );
    return {
      database,
      name,
      columns: own,
      ...key,
      rows: Number(table["rows_"]),
      bytes: Number(table["bytes"]),
    };
  });
}

/** The primary key, else the first unique index that tells every row: none of its columns may be NULL, nor stand in it in part. */
function pickKey(
  columns: readonly TableColumn[],
  rows: readonly Row[],
): Pick<TableStructure, "identity" | "index" | "cutBy"> {
  for (const index of new Set(rows.map((row) => String(row["name"])))) {
    const parts = rows.filter((row) => row["name"] === index);
    const identity = parts.flatMap(
      (part) => columns.find(({ name }) => name === part["column_"]) ?? [],
    );
    const isWhole =
      identity.length === parts.length &&
      parts.every((part) => part["part"] === null) &&
      identity.every(({ isNullable }) => !isNullable);
    if (!isWhole) continue;
    const first = identity.findIndex(({ type }) => !CUTTABLE.has(type));
    return { identity, index, cutBy: first < 0 ? identity : identity.slice(0, first) };
  }
  return { identity: [], index: undefined, cutBy: [] };
}

function textOf(value: Row[string]): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** Given a table, return its name as SQL has it. Pure. */
export function quoteTable({ database, name }: Pick<TableStructure, "database" | "name">): string {
  return `${quoteName(database)}.${quoteName(name)}`;
}
