import { describeError } from "../../system/errors.ts";
import type { Row, Server, Session } from "./open-server.ts";

/** What a server says of itself, as far as two servers must agree. */
export interface ServerHealth {
  /** What tells it from others: none of these alone does on a copied data folder. */
  identity: Readonly<Record<string, string>>;
  version: string;
  isReadOnly: boolean;
  /** Aurora's readers share the writer's storage. */
  isAurora: boolean;
  settings: Readonly<Record<string, string>>;
}

/** Settings with which the same statement, or the same bytes, would mean something else. */
const SETTINGS = [
  "sql_mode",
  "character_set_server",
  "collation_server",
  "time_zone",
  "system_time_zone",
  "lower_case_table_names",
  "max_allowed_packet",
  "explicit_defaults_for_timestamp",
  "innodb_page_size",
  "default_storage_engine",
  "binlog_row_image",
  "binlog_format",
  "gtid_mode",
  "event_scheduler",
];
const IDENTITY = ["server_uuid", "server_id", "hostname", "port", "datadir"];

/** Given a server, return what it says of itself. */
export async function readHealth(server: Server): Promise<ServerHealth> {
  const names = [...SETTINGS, ...IDENTITY, "read_only", "aurora_version"];
  const rows = await server.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map(() => "?").join(", ")})`,
    names,
  );
  const values = new Map(rows.map((row) => [String(row["Variable_name"]), String(row["Value"])]));
  const pick = (wanted: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      wanted.flatMap((name) => {
        const value = values.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return {
    identity: pick(IDENTITY),
    version: `${server.flavour} ${server.version}`,
    isReadOnly: ["ON", "1"].includes(values.get("read_only") ?? ""),
    isAurora: values.has("aurora_version"),
    settings: pick(SETTINGS),
  };
}

/** How a replica follows. */
export interface Following {
  /** Undefined: it follows nobody. */
  source: { serverId: string; place: string } | undefined;
  isReceiving: boolean;
  isApplying: boolean;
  /** Undefined where the server does not say, as when it is stopped. */
  lagSeconds: number | undefined;
  delaySeconds: number;
  /** What it is told to leave out, and errors that it is told to pass over. */
  filters: string[];
  lastError: string;
}

/** Given a replica, return how it follows; a text that says why where its user may not know. */
export async function readFollowing(session: Session): Promise<Following | string> {
  let denied = "";
  for (const sql of ["SHOW REPLICA STATUS", "SHOW SLAVE STATUS"]) {
    try {
      const [row] = await session.query(sql);
      return row ? describeRow(row) : NOBODY;
    } catch (error) {
      denied = describeError(error);
    }
  }
  return denied;
}

const NOBODY: Following = {
  source: undefined,
  isReceiving: false,
  isApplying: false,
  lagSeconds: undefined,
  delaySeconds: 0,
  filters: [],
  lastError: "",
};

function describeRow(row: Row): Following {
  // MySQL 8.0.22 and MariaDB 10.5 call the same things otherwise than those before them, or only some of them.
  const read = (...names: string[]): string => {
    const name = names.find((one) => (row[one] ?? undefined) !== undefined);
    return name === undefined ? "" : String(row[name]);
  };
  const lag = read("Seconds_Behind_Source", "Seconds_Behind_Master");
  const filters = Object.entries(row).flatMap(([name, value]) =>
    name.startsWith("Replicate_") && (value ?? "") !== "" ? [`${name}=${String(value)}`] : [],
  );
  return {
    source: {
      serverId: read("Source_Server_Id", "Master_Server_Id"),
      place: `${read("Source_Host", "Master_Host")}:${read("Source_Port", "Master_Port")}`,
    },
    isReceiving: read("Replica_IO_Running", "Slave_IO_Running") === "Yes",
    isApplying: read("Replica_SQL_Running", "Slave_SQL_Running") === "Yes",
    lagSeconds: lag === "" ? undefined : Number(lag),
    delaySeconds: Number(read("SQL_Delay") || 0),
    filters,
    lastError: describeLastError(row),
  };
}

/**
 * Given the row of SHOW REPLICA STATUS, return why it has stopped, empty where it does not say. The server's own words of an error in applying hold
 * values of rows, and whole statements: its number and its table are told instead. Pure.
 */
export function describeLastError(row: Row): string {
  const read = (name: string): string => String(row[name] ?? "");
  const applying = read("Last_SQL_Error") || read("Last_Error");
  if (applying === "") return read("Last_IO_Error");
  const code = read("Last_SQL_Errno") || read("Last_Errno");
  const table = / on table ([\w$.-]+)/.exec(applying)?.[1];
  const what = code === "" || code === "0" ? "an error in applying" : `error ${code} in applying`;
  return `${what}${table === undefined ? "" : ` to ${table}`}; its own SHOW REPLICA STATUS has the words`;
}

/** A question cannot be taken back, and long ones are ended by the server: a wait is many short ones. */
const WAIT_STEP_S = 1;

/** Waits until the replica has what the primary has now, and returns whether it came to that within so many seconds, 1 at least. */
export type CatchUp = (limitSeconds: number) => Promise<boolean>;

/**
 * Given a primary and a replica that follows it itself, return what waits until the replica has everything that the primary has written so far; undefined where they
 * have no way to say, or their users may not know.
 */
export async function findCatchUp(
  primary: Session & { server: Server },
  replica: Session & { server: Server },
  signal: AbortSignal,
): Promise<CatchUp | undefined> {
  const waitFor = async (
    sql: string,
    values: readonly (string | number)[],
    limitSeconds: number,
    isThere: (result: Row[string]) => boolean,
  ): Promise<boolean> => {
    for (let left = limitSeconds; ; left -= WAIT_STEP_S) {
      // To MySQL 0 is no limit.
      const [row] = await replica.query(sql, [...values, WAIT_STEP_S]);
      signal.throwIfAborted();
      if (isThere(row?.["result"])) return true;
      if (left <= WAIT_STEP_S) return false;
    }
  };
  const isZero = (result: Row[string]): boolean => result !== null && Number(result) === 0;
  const both = [primary.server.flavour, replica.server.flavour];
  if (both.every((flavour) => flavour === "mariadb")) {
    return async (limit) => {
      const [row] = await primary.query("SELECT @@gtid_binlog_pos AS position");
      const position = String(row?.["position"] ?? "");
      if (position === "") return false;
      return waitFor("SELECT MASTER_GTID_WAIT(?, ?) AS result", [position], limit, isZero);
    };
  }
  const [mode] = await primary.query("SHOW GLOBAL VARIABLES LIKE 'gtid_mode'");
  if (mode?.["Value"] === "ON" && both.every((flavour) => flavour === "mysql")) {
    return async (limit) => {
      const [row] = await primary.query("SELECT @@GLOBAL.gtid_executed AS executed");
      const executed = String(row?.["executed"]);
      return waitFor(
        "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result",
        [executed],
        limit,
        isZero,
      );
    };
  }
  if ((await readPlace(primary)) === undefined) return undefined;
  const [wait] = await askFirst(replica, [
    "SELECT 'SOURCE_POS_WAIT' AS word, SOURCE_POS_WAIT('', 4, 1)",
    "SELECT 'MASTER_POS_WAIT' AS word, MASTER_POS_WAIT('', 4, 1)",
  ]);
  if (!wait) return undefined;
  const sql = `SELECT ${String(wait["word"])}(?, ?, ?) AS result`;
  return async (limit) => {
    const place = await readPlace(primary);
    // NULL: it does not follow; -1: not yet; else how many events it was waited for.
    const isThere = (result: Row[string]): boolean => result !== null && Number(result) >= 0;
    return place !== undefined && waitFor(sql, place, limit, isThere);
  };
}

/** Where the primary's binary log ends: its file and the place in it; undefined where there is none, or its user may not know. */
async function readPlace(primary: Session): Promise<readonly [string, number] | undefined> {
  const [row] = await askFirst(primary, ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]);
  const [file, position] = [String(row?.["File"] ?? ""), Number(row?.["Position"])];
  return file === "" ? undefined : [file, position];
}

/** Given the same question in the words of several versions, return the answer to the first that is understood; none where none is. */
async function askFirst(session: Session, questions: readonly string[]): Promise<Row[]> {
  for (const sql of questions) {
    try {
      return await session.query(sql);
    } catch {
      // An older, or a newer version: the next words.
    }
  }
  return [];
}

/** Given a server, return how many of its threads are at work now. */
export async function countRunning(session: Session): Promise<number> {
  const [row] = await session.query("SHOW GLOBAL STATUS LIKE 'Threads_running'");
  return Number(row?.["Value"] ?? 0);
}
