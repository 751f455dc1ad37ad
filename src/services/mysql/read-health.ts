import { OperatorError } from "../../system/errors.ts";
import type { HealthState, Reading } from "../../system/reading.ts";
import type { HealthPlace } from "../service.ts";
import { openServer, type Server } from "./open-server.ts";
import { describeLastError } from "./read-replication.ts";

/** Who reads there reads what was true so long ago. */
const LATE_SECONDS = { warn: 60, fail: 900 };

/** Asks a server how many of its connections are taken. Errors: those of `openServer`. */
export async function readHealth(place: HealthPlace, signal: AbortSignal): Promise<Reading[]> {
  const server = await openServer(place, { signal });
  try {
    const [taken] = await server.query("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
    const [most] = await server.query("SELECT @@max_connections AS most");
    const [connections, limit] = [Number(taken?.["Value"]), Number(most?.["most"])];
    const detail = `${server.flavour} ${server.version}, ${connections} of ${limit} connections`;
    // The last one is kept for an administrator; long before, the application's pools begin to wait.
    const state = connections >= limit * 0.9 ? "warn" : "ok";
    return [{ area: "mysql", name: place.name, state, detail }];
  } finally {
    await server.close();
  }
}

/** Asks a replica how far behind it is. Errors: those of `openServer`, and `access` where its user may not ask. */
export async function readReplicaHealth(
  place: HealthPlace,
  signal: AbortSignal,
): Promise<Reading[]> {
  const server = await openServer(place, { signal });
  try {
    const [status] = await showStatus(server, place.name);
    const [state, detail] = judgeReplica(status);
    return [{ area: "replica", name: place.name, state, detail }];
  } finally {
    await server.close();
  }
}

/** MariaDB before 10.5 and MySQL before 8.0.22 know the old words alone; MySQL since 8.4 the new ones. */
async function showStatus(server: Server, name: string): Promise<Row[]> {
  const words = server.flavour === "mysql" ? ["REPLICA", "SLAVE"] : ["SLAVE", "REPLICA"];
  try {
    return await server.query(`SHOW ${words[0]} STATUS`).catch((error: unknown) => {
      if (error instanceof OperatorError && error.kind === "access") throw error;
      return server.query(`SHOW ${words[1]} STATUS`);
    });
  } catch (error) {
    if (!(error instanceof OperatorError) || error.kind !== "access") throw error;
    const right = server.flavour === "mysql" ? "REPLICATION CLIENT" : "SLAVE MONITOR";
    throw new OperatorError("access", `${name}: its user may not ask how far behind it is`, {
      next: `GRANT ${right} ON *.* to it`,
      cause: error,
    });
  }
}

type Row = Awaited<ReturnType<Server["query"]>>[number];

/** Given the row of SHOW REPLICA STATUS, or none, return how the replica is. Pure. */
export function judgeReplica(row: Row | undefined): [state: HealthState, detail: string] {
  if (!row) return ["fail", "it is no replica: nothing is copied to it"];
  const read = (name: string): string =>
    String(row[name] ?? row[name.replace("Replica", "Slave").replace("Source", "Master")] ?? "");
  const stopped = ["Replica_IO_Running", "Replica_SQL_Running"].filter(
    (name) => read(name) !== "Yes",
  );
  if (stopped.length > 0) {
    const why = describeLastError(row);
    const which = stopped.map((name) => (name.includes("IO") ? "reading" : "applying"));
    return ["fail", `${which.join(" and ")} has stopped${why === "" ? "" : `: ${why}`}`];
  }
  const text = read("Seconds_Behind_Source");
  const seconds = Number(text);
  if (text === "" || Number.isNaN(seconds))
    return ["unknown", "it does not say how far behind it is"];
  const detail = `${seconds} s behind`;
  if (seconds < LATE_SECONDS.warn) return ["ok", detail];
  return [seconds < LATE_SECONDS.fail ? "warn" : "fail", detail];
}
