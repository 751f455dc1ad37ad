import { OperatorError } from "../../system/errors.ts";
import { quoteName, type Session } from "./open-server.ts";

/** What a database has, of what a dump is made of. */
export interface Database {
  name: string;
  tables: Table[];
  views: string[];
  sequences: string[];
  /** Routines and events. */
  programs: number;
}

interface Table {
  name: string;
  engine: string;
  bytes: number;
}

/** The server's own. */
const SYSTEM = ["mysql", "information_schema", "performance_schema", "sys"];
/** Those for which a snapshot holds. */
export const TRANSACTIONAL = new Set(["InnoDB", "TokuDB", "MyRocks", "ROCKSDB"]);

/** Given a session, return the names of the databases that its user sees, without the server's own. */
export async function listDatabases(session: Session): Promise<string[]> {
  const rows = await session.query(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN (${SYSTEM.map(() => "?").join(", ")}) ORDER BY BINARY SCHEMA_NAME`,
    SYSTEM,
  );
  return rows.map((row) => String(row["name"]));
}

/** Given names of databases and tables that are left out, return what there is, by name. */
export async function readInventory(
  session: Session,
  exclude: readonly string[],
): Promise<Database[]> {
  const left = new Set(exclude);
  const not = SYSTEM.map(() => "?").join(", ");
  const databases = new Map<string, Database>();
  for (const name of await listDatabases(session)) {
    if (!left.has(name))
      databases.set(name, { name, tables: [], views: [], sequences: [], programs: 0 });
  }
  const tables = await session.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine,
       COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0) AS bytes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN (${not}) ORDER BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME`,
    SYSTEM,
  );
  for (const row of tables) {
    const [db, name, type] = [String(row["db"]), String(row["name"]), String(row["type"])];
    const database = databases.get(db);
    if (!database || left.has(`${db}.${name}`)) continue;
    if (type === "VIEW") database.views.push(name);
    else if (type === "SEQUENCE") database.sequences.push(name);
    else
      database.tables.push({
        name,
        engine: String(row["engine"] ?? ""),
        bytes: Number(row["bytes"]),
      });
  }
  const programs = await session.query(
    `SELECT ROUTINE_SCHEMA AS db, COUNT(*) AS programs FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN (${not}) GROUP BY ROUTINE_SCHEMA
     UNION ALL SELECT EVENT_SCHEMA, COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA NOT IN (${not}) GROUP BY EVENT_SCHEMA`,
    [...SYSTEM, ...SYSTEM],
  );
  for (const row of programs) {
    const database = databases.get(String(row["db"]));
    if (database) database.programs += Number(row["programs"]);
  }
  return [...databases.values()];
}

/** What a user must be allowed in a database for nothing of it to be left out silently: without TRIGGER mysqldump leaves triggers out and ends with 0. */
const NEEDED = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES"];

/** Given databases, throw `access` with what to grant where the user lacks a privilege that a backup needs. */
export async function checkGrants(
  session: Session,
  flavour: "mysql" | "mariadb",
  databases: readonly Database[],
): Promise<void> {
  const names = databases.map(({ name }) => name);
  const { user, missing } = await findMissingGrants(session, names, NEEDED, flavour);
  if (missing.length === 0) return;
  throw new OperatorError("access", `the user ${user} cannot read all that a backup must have`, {
    details: missing,
    next: "grant that; without it things would be left out silently",
  });
}

/**
 * Given databases, the privileges that are needed on each of them, and the kind of server where the text of routines is needed too, return the user and what to
 * grant to it. `SHOW GRANTS` is asked: information_schema shows on RDS less than is granted. Privileges of roles are those of the roles that are active.
 */
export async function findMissingGrants(
  session: Session,
  databases: readonly string[],
  needed: readonly string[],
  routinesOf: "mysql" | "mariadb" | undefined,
): Promise<{ user: string; missing: string[] }> {
  const lines = (await session.query("SHOW GRANTS")).map((row) => String(Object.values(row)[0]));
  const [who] = await session.query("SELECT CURRENT_USER() AS who");
  const user = String(who?.["who"]).replace(/^(.*)@(.*)$/, "'$1'@'$2'");
  const missing: string[] = [];
  for (const name of databases) {
    const lacking = needed.filter((privilege) => !isGranted(lines, privilege, name));
    if (lacking.length > 0)
      missing.push(`GRANT ${lacking.join(", ")} ON ${quoteName(name)}.* TO ${user};`);
  }
  if (routinesOf === "mariadb" && !isGranted(lines, "SELECT", "mysql", "proc"))
    missing.push(`GRANT SELECT ON mysql.proc TO ${user};`);
  const showsRoutines = ["SHOW_ROUTINE", "SELECT"].some((one) => isGranted(lines, one, undefined));
  if (routinesOf === "mysql" && !showsRoutines)
    missing.push(`GRANT SHOW_ROUTINE ON *.* TO ${user};`);
  return { user, missing };
}

/** Whether one of the lines of SHOW GRANTS grants a privilege on a database (undefined: on everything), or on a table of it. Pure. */
function isGranted(
  lines: readonly string[],
  privilege: string,
  database: string | undefined,
  table?: string,
): boolean {
  return lines.some((line) => {
    const [, privileges = "", on = "", what = ""] =
      /^GRANT (.*) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /.exec(line) ?? [];
    const given = privileges.split(/, ?/);
    if (!given.includes(privilege) && !privileges.startsWith("ALL PRIVILEGES")) return false;
    if (on === "*") return true;
    if (database === undefined || !matchesPattern(on.slice(1, -1).replaceAll("``", "`"), database))
      return false;
    return what === "*" || (table !== undefined && what === quoteName(table));
  });
}

/** Of a grant on a database: `_` and `%` are wildcards unless escaped (MySQL manual, GRANT). */
function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replace(
    /\\([_%\\])|([_%])|[.*+?^${}()|[\]\\]/g,
    (all, escaped: string, wild: string) => {
      if (escaped !== undefined) return escaped === "\\" ? "\\\\" : escaped;
      if (wild !== undefined) return wild === "%" ? ".*" : ".";
      return `\\${all}`;
    },
  );
  return new RegExp(`^${source}$`, "su").test(name);
}
