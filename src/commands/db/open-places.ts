import type { Config } from "../../config/schema.ts";
import type { OpenServices } from "../../reach/open-service.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import { OperatorError } from "../../system/errors.ts";
import { mysql } from "../../services/mysql/mysql.ts";
import { type MysqlConfig, replicaOf as readReplica } from "../../services/mysql/settings.ts";

/** Returns the MySQL service of that name. Throws `usage`. */
export function placeOf(
  name: string,
  config: Config,
  open: OpenServices,
): ServicePlace<MysqlConfig> {
  const service = config.services?.[name];
  if (!mysql.is(service)) throw new OperatorError("usage", `there is no MySQL service ${name}`);
  return open(name, service);
}

/** Returns the replica of the MySQL service of that name; undefined where it has none. */
export function replicaOf(
  name: string,
  config: Config,
  open: OpenServices,
): ServicePlace<MysqlConfig> | undefined {
  const service = config.services?.[name];
  const replica = mysql.is(service) ? readReplica(service) : undefined;
  return replica && open(`${name}-replica`, replica);
}
