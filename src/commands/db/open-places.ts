import type { Config, MysqlConfig } from "../../config/schema.ts";
import type { ServicePlace } from "../../services/backup-driver.ts";
import { OperatorError } from "../../system/errors.ts";
import { makePlace } from "../backup/open-backups.ts";
import type { Context } from "../command.ts";

/** What closes what was opened on the way. */
export type Closers = (() => Promise<void> | void)[];

/** Given the name of a service, return its environment: that of its host where it has one. */
export function environmentOf(name: string, config: Config): string | undefined {
  const service = config.services?.[name];
  if (service?.host === undefined) return service?.environment;
  return config.hosts?.[service.host]?.environment;
}

/** Given the name of a MySQL service, return the ways to it; those that are taken are put into `closers`. Throws `usage`. */
export function placeOf(
  name: string,
  config: Config,
  context: Context,
  closers: Closers,
): ServicePlace & { config: MysqlConfig } {
  const service = config.services?.[name];
  if (service?.kind !== "mysql")
    throw new OperatorError("usage", `there is no MySQL service ${name}`);
  return { ...makePlace(name, service, undefined, context, closers), config: service };
}

/** The same for its replica; undefined where it has none. */
export function replicaOf(
  name: string,
  config: Config,
  context: Context,
  closers: Closers,
): ServicePlace | undefined {
  const service = config.services?.[name];
  if (service?.kind !== "mysql" || !service.replica) return undefined;
  const replica = { ...service, ...service.replica } as MysqlConfig;
  return makePlace(`${name}-replica`, replica, undefined, context, closers);
}
