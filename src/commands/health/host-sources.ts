import { Writable } from "node:stream";
import type { Host } from "../../inventory/host.ts";
import type { Connection } from "../../reach/connect-host.ts";
import type { SharedConnections } from "../../reach/share-connections.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Reading } from "../../system/reading.ts";
import { judgeDisk, parseDf, parseDfComplaints } from "./parse-df.ts";
import { judgeAbsence, type Source } from "./source.ts";

/** A lookup in AWS and two jumps included. */
export const CONNECT_LIMIT_MS = 20_000;
const HOST_EVERY_MS = 10_000;
const DISK_EVERY_MS = 60_000;
const DF_LIMIT_MS = CONNECT_LIMIT_MS + 5_000;
/** Far more filesystems than anybody has. */
const DF_LIMIT_BYTES = 256 * 1024;

/** Given a host, return what can be asked of it: whether it lets in, and how full its disks are. */
export function hostSources(host: Host, connections: SharedConnections): Source[] {
  const { name } = host;
  let last: Connection | undefined;
  return [
    {
      area: "host",
      name,
      limitMs: CONNECT_LIMIT_MS,
      everyMs: HOST_EVERY_MS,
      read: async (signal) => {
        // What is behind it asks through the same connection, and waits for the host.
        connections.forgetFailure(name);
        try {
          const connection = await connections.connect(name);
          if (connection === last) await proveAnswers(connection, signal);
          last = connection;
          const detail = `lets in, at ${connection.address}`;
          return [{ area: "host", name, state: "ok", detail }];
        } catch (error) {
          return judgeAbsence("host", name, error);
        }
      },
    },
    {
      area: "disk",
      name,
      limitMs: DF_LIMIT_MS,
      everyMs: DISK_EVERY_MS,
      read: async (signal) => readDisks(name, await connectThrough(connections, name), signal),
    },
  ];
}

/** Given a host that something else needs, return the connection to it; what it throws is about that something. */
export async function connectThrough(
  connections: SharedConnections,
  name: string,
): Promise<Connection> {
  return connections.connect(name).catch((error: unknown) => {
    throw new OperatorError("unreachable", `not reached, as ${name} is not`, { cause: error });
  });
}

/** A connection that let in a while ago says nothing of now: its host must still run something, whatever that ends with. */
async function proveAnswers(connection: Connection, signal: AbortSignal): Promise<void> {
  const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
  await connection.execute("true", { stdout: nowhere(), stderr: nowhere(), signal });
}

async function readDisks(
  name: string,
  connection: Connection,
  signal: AbortSignal,
): Promise<Reading[]> {
  let said = "";
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      said += chunk.toString();
      done(said.length > DF_LIMIT_BYTES ? new Error("what df says does not end") : null);
    },
  });
  let complaints = "";
  const stderr = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (complaints.length < DF_LIMIT_BYTES) complaints += chunk.toString();
      done();
    },
  });
  // POSIX: with -P one line each; it ends with 1 where one of many cannot be looked at.
  await connection.execute("LC_ALL=C df -P -k", { stdout, stderr, signal });
  const disks = parseDf(said);
  if (disks.length === 0) throw new OperatorError("failed", `${name}: df names no disk`);
  return [
    ...disks.map((disk) => judgeDisk(`${name}:${disk.mount}`, disk)),
    ...parseDfComplaints(complaints).map(({ mount, why }): Reading => ({
      area: "disk",
      name: `${name}:${mount}`,
      state: "unknown",
      detail: why,
    })),
  ];
}
