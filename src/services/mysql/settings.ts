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

export const settings = z.strictObject({
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

export const jobSettings = orAbsent(
  z.strictObject({
    exclude: orAbsent(z.array(text), "Databases and tables that are left out, DATABASE.TABLE"),
    rdsSnapshot: orAbsent(text, "RDS instance of which snapshots are taken instead of dumps"),
  }),
  "How a MySQL service is backed up",
);
export type MysqlJob = BackupJobConfig & { mysql?: z.output<typeof jobSettings> };

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
