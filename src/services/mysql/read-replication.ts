import { describeError, OperatorError } from "../../system/errors.ts";
import type { Row, Server, Session } from "./open-server.ts";

/** What a server says of itself, as far as two servers must agree. */
export interface ServerHealth {
  /** What tells it from others: none of these alone does on a copied data folder. */
  identity: Readonly<Record<string, string>>;
  version: string;
  isReadOnly: boolean;
  /** Of an Aurora cluster, whose readers share their writer's storage. */
  isAuroraReader: boolean;
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
const IDENTITY = ["server_uuid", "server_id", "aurora_server_id", "hostname", "port", "datadir"];

/** Given a server, return what it says of itself. */
export async function readHealth(server: Server): Promise<ServerHealth> {
  const names = [...SETTINGS, ...IDENTITY, "read_only", "innodb_read_only", "aurora_version"];
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
  const isOn = (name: string): boolean => ["ON", "1"].includes(values.get(name) ?? "");
  return {
    identity: pick(IDENTITY),
    version: `${server.flavour} ${server.version}`,
    isReadOnly: isOn("read_only") || isOn("innodb_read_only"),
    // A writer of another cluster may follow by a binary log like any server.
    isAuroraReader: values.has("aurora_version") && isOn("innodb_read_only"),
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
  /** Of several sources each has its own; empty where it is the only one, or the first. */
  channel: string;
}

/** The first is MariaDB's, for all of its sources; the last is what RDS has for users that it does not let ask. */
const STATUS_QUESTIONS = [
  "SHOW ALL SLAVES STATUS",
  "SHOW REPLICA STATUS",
  "SHOW SLAVE STATUS",
  "CALL mysql.rds_replica_status",
];

/**
 * Given a replica and the server_id of the primary that it should follow, return how it follows: of several sources that one, or the first where
 * none is it; a text that says why where its user may not know.
 */
export async function readFollowing(
  session: Session,
  primaryId: string | undefined,
): Promise<Following | string> {
  const refusals: OperatorError[] = [];
  for (const sql of STATUS_QUESTIONS) {
    try {
      const sources = (await session.query(sql)).map(describeRow);
      const find = (id: string | undefined) =>
        sources.find(({ source }) => source?.serverId === id);
      // 0: it has not been there yet.
      return find(primaryId) ?? find("0") ?? sources[0] ?? NOBODY;
    } catch (error) {
      refusals.push(asRefusal(error));
    }
  }
  // One that is denied is understood; the others are in the words of other versions.
  return describeError(refusals.find(({ kind }) => kind === "access") ?? refusals[0]);
}

/** Given what was thrown, return it where the server itself has refused the question; throws it where nobody has answered it. */
function asRefusal(error: unknown): OperatorError {
  const isRefused =
    error instanceof OperatorError && error.kind !== "unreachable" && error.cause !== undefined;
  if (isRefused) return error;
  throw error;
}

const NOBODY: Following = {
  source: undefined,
  isReceiving: false,
  isApplying: false,
  lagSeconds: undefined,
  delaySeconds: 0,
  filters: [],
  lastError: "",
  channel: "",
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
    channel: read("Channel_Name", "Connection_name"),
  };
}

/**
 * Given a reader of an Aurora cluster, return how many seconds it is behind its writer; undefined where it does not say. Amazon Aurora User Guide,
 * "information_schema.replica_host_status".
 */
export async function readAuroraLag(session: Session): Promise<number | undefined> {
  const [row] = await session.query(
    "SELECT REPLICA_LAG_IN_MILLISECONDS AS lag FROM information_schema.replica_host_status WHERE SERVER_ID = @@aurora_server_id",
  );
  const lag = row?.["lag"];
  return lag === undefined || lag === null ? undefined : Number(lag) / 1000;
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

/** A question cannot be taken back, and long ones are ended by the server: a wait is many short ones. To MySQL 0 would be no limit. */
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
      const [row] = await replica.query(sql, values);
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
      return waitFor(
        `SELECT MASTER_GTID_WAIT(?, ${WAIT_STEP_S}) AS result`,
        [position],
        limit,
        isZero,
      );
    };
  }
  const [mode] = await primary.query("SHOW GLOBAL VARIABLES LIKE 'gtid_mode'");
  if (mode?.["Value"] === "ON" && both.every((flavour) => flavour === "mysql")) {
    return async (limit) => {
      const [row] = await primary.query("SELECT @@GLOBAL.gtid_executed AS executed");
      const executed = String(row?.["executed"]);
      return waitFor(
        `SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ${WAIT_STEP_S}) AS result`,
        [executed],
        limit,
        isZero,
      );
    };
  }
  if ((await readPlace(primary)) === undefined) return undefined;
  const [about] = await primary.query("SELECT @@server_id AS id");
  const following = await readFollowing(replica, String(about?.["id"]));
  const channel = typeof following === "string" ? "" : following.channel;
  const [more, values] = channel === "" ? ["", []] : [", ?", [channel]];
  const [wait] = await askFirst(
    replica,
    ["SOURCE_POS_WAIT", "MASTER_POS_WAIT"].map(
      (word) => `SELECT '${word}' AS word, ${word}('', 4, ${WAIT_STEP_S}${more})`,
    ),
    values,
  );
  if (!wait) return undefined;
  const sql = `SELECT ${String(wait["word"])}(?, ?, ${WAIT_STEP_S}${more}) AS result`;
  return async (limit) => {
    const place = await readPlace(primary);
    // NULL: it does not follow; -1: not yet; else how many events it was waited for.
    const isThere = (result: Row[string]): boolean => result !== null && Number(result) >= 0;
    return place !== undefined && waitFor(sql, [...place, ...values], limit, isThere);
  };
}

/** Where the primary's binary log ends: its file and the place in it; undefined where there is none, or its user may not know. */
async function readPlace(primary: Session): Promise<readonly [string, number] | undefined> {
  const [row] = await askFirst(primary, ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]);
  const [file, position] = [String(row?.["File"] ?? ""), Number(row?.["Position"])];
  return file === "" ? undefined : [file, position];
}

/** Given the same question in the words of several versions, return the answer to the first that is understood; none where none is. */
async function askFirst(
  session: Session,
  questions: readonly string[],
  values: readonly string[] = [],
): Promise<Row[]> {
  for (const sql of questions) {
    try {
      return await session.query(sql, values);
    } catch (error) {
      // An older, or a newer version: the next words.
      asRefusal(error);
    }
  }
  return [];
}

/** Given a server, return how many of its threads are at work now. */
export async function countRunning(session: Session): Promise<number> {
  const [row] = await session.query("SHOW GLOBAL STATUS LIKE 'Threads_running'");
  return Number(row?.["Value"] ?? 0);
}
