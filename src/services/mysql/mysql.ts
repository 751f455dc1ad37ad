import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import {
  hostName,
  login,
  matching,
  name,
  orAbsent,
  port,
  reachable,
  text,
} from "../../config/schema-fields.ts";
import { askSocket } from "../ask-socket.ts";
import { serviceType } from "../service.ts";

const settings = z.strictObject({
  kind: z.literal("mysql"),
  ...reachable,
  ...login,
  database: orAbsent(
    matching(/^[^-/\\.\p{Cc}][^/\\.\p{Cc}]{0,63}$/u, "a database name is expected"),
    "Database to open",
  ),
  replica: orAbsent(
    z.strictObject({
      host: z.optional(name),
      address: z.optional(hostName),
      port: z.optional(port),
    }),
    "The server to read from, with --replica",
  ),
});
export type MysqlConfig = z.output<typeof settings>;

const jobSettings = orAbsent(
  z.strictObject({
    exclude: orAbsent(z.array(text), "Databases and tables that are left out, DATABASE.TABLE"),
    rdsSnapshot: orAbsent(text, "RDS instance of which snapshots are taken instead of dumps"),
  }),
  "How a MySQL service is backed up",
);
export type MysqlJob = BackupJobConfig & { mysql?: z.output<typeof jobSettings> };

/** MySQL and MariaDB, by the greeting that the server sends first (protocol version 10). */
export const mysql = serviceType<MysqlConfig>({
  kind: "mysql",
  settings,
  jobSettings,
  checkService: ({ replica }, { hosts = {} }) =>
    replica?.host === undefined || Object.hasOwn(hosts, replica.host)
      ? []
      : [{ path: ["replica", "host"], message: `there is no host ${replica.host}` }],
  scheme: "tcp",
  // A greeting without a login counts towards max_connect_errors, which then locks the host of the tunnel out.
  isAskedWhileIdle: false,
  backup: async () => (await import("./backup.ts")).mysqlBackup,
  health: () => import("./read-health.ts"),
  probe: (endpoint, _service, limits) =>
    askSocket(endpoint, undefined, limits, (answer) => {
      // A packet is a length of three bytes, a sequence number, and the payload.
      if (answer.length < 5) return undefined;
      const end = 4 + answer.readUIntLE(0, 3);
      // Text read as a length; no greeting is longer than this.
      if (end > 16 * 1024) return { answers: false, detail: "something other than MySQL answers" };
      if (answer.length < end) return undefined;
      const payload = answer.subarray(4, end);
      if (payload[0] === 0xff && payload.length >= 3) {
        // 1040 too many connections, 1129 host is blocked, 1130 host is not allowed.
        const message = payload.toString("utf8", 3).replace(/^#.{5}/, "");
        return { answers: false, detail: `error ${payload.readUInt16LE(1)}: ${message}` };
      }
      if (payload[0] !== 10)
        return { answers: false, detail: "something other than MySQL answers" };
      return {
        answers: true,
        detail: `version ${payload.toString("latin1", 1, payload.indexOf(0, 1))}`,
      };
    }),
});

/** Returns the replica of a MySQL as a service of its own; undefined where it has none. Pure. */
export function replicaOf(service: MysqlConfig): MysqlConfig | undefined {
  if (!service.replica) return undefined;
  const {
    host = service.host,
    address = service.address,
    port: own = service.port,
  } = service.replica;
  return { ...service, host, address, port: own };
}
