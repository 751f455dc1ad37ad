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
    lastError: read("Last_SQL_Error") || read("Last_IO_Error") || read("Last_Error"),
  };
}

/** A question cannot be taken back, and long ones are ended by the server: a wait is many short ones. */
const WAIT_STEP_S = 1;

/** Given both sides, return what waits until the replica has everything that the primary has written so far; undefined where they have no way to say. */
export async function findCatchUp(
  primary: Session & { server: Server },
  replica: Session & { server: Server },
  signal: AbortSignal,
): Promise<((limitSeconds: number) => Promise<boolean>) | undefined> {
  const waitFor = async (sql: string, position: string, limitSeconds: number): Promise<boolean> => {
    for (let left = limitSeconds; ; left -= WAIT_STEP_S) {
      const [row] = await replica.query(sql, [position, Math.max(0, Math.min(left, WAIT_STEP_S))]);
      signal.throwIfAborted();
      if (Number(row?.["result"]) === 0) return true;
      if (left <= WAIT_STEP_S) return false;
    }
  };
  const both = [primary.server.flavour, replica.server.flavour];
  if (both.every((flavour) => flavour === "mariadb")) {
    return async (limit) => {
      const [row] = await primary.query("SELECT @@gtid_binlog_pos AS position");
      const position = String(row?.["position"] ?? "");
      if (position === "") return false;
      return waitFor("SELECT MASTER_GTID_WAIT(?, ?) AS result", position, limit);
    };
  }
  if (both.some((flavour) => flavour === "mariadb")) return undefined;
  const [mode] = await primary.query("SHOW GLOBAL VARIABLES LIKE 'gtid_mode'");
  if (mode?.["Value"] !== "ON") return undefined;
  return async (limit) => {
    const [row] = await primary.query("SELECT @@GLOBAL.gtid_executed AS executed");
    const executed = String(row?.["executed"]);
    return waitFor("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result", executed, limit);
  };
}

/** Given a server, return how many of its threads are at work now. */
export async function countRunning(session: Session): Promise<number> {
  const [row] = await session.query("SHOW GLOBAL STATUS LIKE 'Threads_running'");
  return Number(row?.["Value"] ?? 0);
}
