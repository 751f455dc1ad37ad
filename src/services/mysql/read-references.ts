import type { Reader } from "./open-reader.ts";
import { type Key, keySql, type Range, writeKeys, writeRange } from "./hash-rows.ts";
import { quoteName, type Session } from "./open-server.ts";
import { quoteTable, type TableStructure } from "./read-structure.ts";

/** Columns of one table whose values stand in those of another. */
export interface Reference {
  /** `school.enrolments.student_id → school.students.id` */
  name: string;
  isDeclared: boolean;
  child: { database: string; table: string; columns: string[] };
  parent: { database: string; table: string; columns: string[] };
  /** Besides NULL. */
  nullValues: readonly string[];
}

/** Given a session and a database, return its foreign keys: rows that were loaded with foreign_key_checks=0 were never held against them. */
export async function readForeignKeys(session: Session, database: string): Promise<Reference[]> {
  const rows = await session.query(
    `SELECT TABLE_NAME AS child, CONSTRAINT_NAME AS name, COLUMN_NAME AS column_, REFERENCED_TABLE_SCHEMA AS database_,
       REFERENCED_TABLE_NAME AS parent, REFERENCED_COLUMN_NAME AS other
     FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY BINARY TABLE_NAME, BINARY CONSTRAINT_NAME, ORDINAL_POSITION`,
    [database],
  );
  const references = new Map<string, Reference>();
  for (const row of rows) {
    const [child, name] = [String(row["child"]), String(row["name"])];
    const known = references.get(`${child} ${name}`) ?? {
      name: `${database}.${child}.${name}`,
      isDeclared: true,
      child: { database, table: child, columns: [] },
      parent: { database: String(row["database_"]), table: String(row["parent"]), columns: [] },
      nullValues: [],
    };
    known.child.columns.push(String(row["column_"]));
    known.parent.columns.push(String(row["other"]));
    references.set(`${child} ${name}`, known);
  }
  return [...references.values()];
}

/** Given a reference, its child's table and where to look, return the keys of the rows that refer to a row that is not there. */
export async function findOrphans(
  reader: Reader,
  reference: Reference,
  child: TableStructure,
  within: Range | { keys: readonly Key[] },
): Promise<Key[]> {
  const { parent, nullValues } = reference;
  const { columns } = reference.child;
  const where =
    "keys" in within ? writeKeys(child.identity, within.keys) : writeRange(child.cutBy, within);
  const isSet = columns.map((column) => `c.${quoteName(column)} IS NOT NULL`);
  const means =
    nullValues.length > 0
      ? columns.map(
          (column) =>
            `CONCAT(c.${quoteName(column)}) NOT IN (${nullValues.map(() => "?").join(", ")})`,
        )
      : [];
  const joined = columns
    .map((column, index) => `p.${quoteName(parent.columns[index] ?? "")} = c.${quoteName(column)}`)
    .join(" AND ");
  const index = child.index === undefined ? "" : ` FORCE INDEX (${quoteName(child.index)})`;
  const rows = await reader.query(
    `SELECT ${keySql.select(child.identity)} FROM ${quoteTable(child)} AS c${index} WHERE (${where}) AND ${[...isSet, ...means].join(" AND ")}
       AND NOT EXISTS (SELECT 1 FROM ${quoteName(parent.database)}.${quoteName(parent.table)} AS p WHERE ${joined})`,
    means.flatMap(() => nullValues),
  );
  return rows.map((row) => keySql.read(row, child.identity));
}
