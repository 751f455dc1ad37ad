import { errorCode } from "../../system/errors.ts";
import type { Row, Session } from "./open-server.ts";

/** What a database is made of: the name of each part (`table students`, `column students.email`) and what is declared of it. */
export type Catalogue = Map<string, Readonly<Record<string, string>>>;

/** A part of the catalogue, with what asks for it. Databases are written as `?`. */
interface Source {
  sql: string;
  name: (row: Row) => string;
  /** What is declared, by the name of its column in the answer. */
  facts: readonly string[];
  /** MySQL 5.7 has none of it. */
  isNew?: true;
}

const SOURCES: readonly Source[] = [
  {
    sql: "SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
    name: () => "database",
    facts: ["charset", "collation"],
  },
  {
    // AUTO_INCREMENT counts on: it is no declaration.
    sql: `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COLLATION AS collation, CREATE_OPTIONS AS options
          FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?`,
    name: ({ name, type }) => `${type === "VIEW" ? "view" : "table"} ${String(name)}`,
    facts: ["type", "engine", "collation", "options"],
  },
  {
    sql: `SELECT TABLE_NAME AS table_, COLUMN_NAME AS name, ORDINAL_POSITION AS position, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS default_,
            CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, EXTRA AS extra, GENERATION_EXPRESSION AS generated, COLUMN_COMMENT AS comment
          FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?
            -- Those of a view are what it reads.
            AND TABLE_NAME NOT IN (SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?)`,
    name: ({ table_, name }) => `column ${String(table_)}.${String(name)}`,
    facts: [
      "position",
      "type",
      "nullable",
      "default_",
      "charset",
      "collation",
      "extra",
      "generated",
      "comment",
    ],
  },
  {
    sql: `SELECT TABLE_NAME AS table_, INDEX_NAME AS name, MIN(NON_UNIQUE) AS non_unique, MIN(INDEX_TYPE) AS type,
            GROUP_CONCAT(CONCAT(COALESCE(COLUMN_NAME, '(expression)'), IF(SUB_PART IS NULL, '', CONCAT('(', SUB_PART, ')'))) ORDER BY SEQ_IN_INDEX) AS columns_
          FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? GROUP BY TABLE_NAME, INDEX_NAME`,
    name: ({ table_, name }) => `index ${String(table_)}.${String(name)}`,
    facts: ["non_unique", "type", "columns_"],
  },
  {
    sql: `SELECT k.TABLE_NAME AS table_, k.CONSTRAINT_NAME AS name, MIN(r.REFERENCED_TABLE_NAME) AS parent, MIN(r.UPDATE_RULE) AS on_update, MIN(r.DELETE_RULE) AS on_delete,
            GROUP_CONCAT(CONCAT(k.COLUMN_NAME, ' → ', k.REFERENCED_COLUMN_NAME) ORDER BY k.ORDINAL_POSITION) AS columns_
          FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
            ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
          WHERE k.CONSTRAINT_SCHEMA = ? GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME`,
    name: ({ table_, name }) => `foreign key ${String(table_)}.${String(name)}`,
    facts: ["parent", "columns_", "on_update", "on_delete"],
  },
  {
    sql: "SELECT CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?",
    name: ({ name, clause }) => `check ${String(name)} ${String(clause)}`,
    facts: [],
    isNew: true,
  },
  {
    sql: `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS table_, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, ACTION_ORDER AS position, ACTION_STATEMENT AS body, SQL_MODE AS mode
          FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
    name: ({ name }) => `trigger ${String(name)}`,
    facts: ["table_", "timing", "event", "position", "body", "mode"],
  },
  {
    sql: `SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS type, DTD_IDENTIFIER AS returns, ROUTINE_DEFINITION AS body, IS_DETERMINISTIC AS is_deterministic,
            SQL_DATA_ACCESS AS access, SECURITY_TYPE AS security, SQL_MODE AS mode FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`,
    name: ({ name, type }) => `${String(type).toLowerCase()} ${String(name)}`,
    facts: ["returns", "body", "is_deterministic", "access", "security", "mode"],
  },
  {
    sql: `SELECT TABLE_NAME AS name, VIEW_DEFINITION AS body, CHECK_OPTION AS check_, SECURITY_TYPE AS security FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`,
    name: ({ name }) => `view ${String(name)} as written`,
    facts: ["body", "check_", "security"],
  },
  {
    // A replica says SLAVESIDE_DISABLED of what its primary runs.
    sql: `SELECT EVENT_NAME AS name, EVENT_TYPE AS type, EXECUTE_AT AS at, INTERVAL_VALUE AS every, INTERVAL_FIELD AS unit, EVENT_DEFINITION AS body
          FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
    name: ({ name }) => `event ${String(name)}`,
    facts: ["type", "at", "every", "unit", "body"],
  },
];

/**
 * Given a session and the name of a database, return its catalogue as the server itself writes it down, so that two that were declared in
 * other words are the same. Who may not see a part of it gets less of it: the same user is to ask both sides.
 */
export async function readCatalogue(session: Session, database: string): Promise<Catalogue> {
  const catalogue: Catalogue = new Map();
  for (const { sql, name, facts, isNew } of SOURCES) {
    const rows = session.query(
      sql,
      [...sql.matchAll(/\?/g)].map(() => database),
    );
    for (const row of await (isNew ? rows.catch(passOverUnknown) : rows)) {
      const declared = Object.fromEntries(
        facts.flatMap((fact) => {
          const value = row[fact];
          return value === null || value === undefined
            ? []
            : [[fact.replace(/_$/, ""), normalise(String(value), fact, database)]];
        }),
      );
      catalogue.set(name(row), declared);
    }
  }
  return catalogue;
}

function passOverUnknown(error: unknown): Row[] {
  if (error instanceof Error && errorCode(error.cause) === "ER_UNKNOWN_TABLE") return [];
  throw error;
}

/** What two versions, or two names of the database, write otherwise and mean the same. */
function normalise(value: string, fact: string, database: string): string {
  // MySQL 8.0.19 has no width of whole numbers any more.
  if (fact === "type") return value.replace(/\b((?:tiny|small|medium|big)?int)\(\d+\)/g, "$1");
  if (fact === "default_") return value.replace(/^current_timestamp(\(\))?$/i, "CURRENT_TIMESTAMP");
  return fact === "body" ? value.replaceAll(`\`${database.replaceAll("`", "``")}\`.`, "") : value;
}
