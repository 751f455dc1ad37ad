import { environmentOf } from "../config/environments.ts";
import type { Config } from "../config/schema.ts";
import { mysql } from "../services/mysql/mysql.ts";
import { type MysqlConfig, replicaOf } from "../services/mysql/settings.ts";
import { OperatorError } from "../system/errors.ts";
import type { Context } from "./command.ts";

/** Returns the one MySQL that there is, or the one of `--env`, or of the default environment. Throws `usage` where that is none, or several. Pure. */
export function findMysql(
  config: Config,
  context: Pick<Context, "environmentFlag">,
): { name: string; service: MysqlConfig } {
  const all = Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    mysql.is(service) ? [{ name, service }] : [],
  );
  const inEnvironment = (environment: string | undefined) =>
    all.filter(({ service }) => environmentOf(service, config) === environment);
  const asked = context.environmentFlag;
  const found = asked === undefined ? all : inEnvironment(asked);
  const narrowed = found.length > 1 ? inEnvironment(asked ?? config.defaultEnvironment) : found;
  const [only] = narrowed;
  if (only && narrowed.length === 1) return only;
  if (found.length === 0) {
    const where = asked === undefined ? "" : ` in the environment ${asked}`;
    throw new OperatorError("usage", `there is no mysql service${where}`, {
      next: "add one to the services of the configuration, or choose another --env",
    });
  }
  throw new OperatorError(
    "usage",
    `there are several mysql services: ${found.map(({ name }) => name).join(", ")}`,
    {
      next: "choose with --env",
    },
  );
}

/** Returns the replica of a MySQL as a service of its own. Throws `usage` where it has none. Pure. */
export function findReplica(name: string, service: MysqlConfig): MysqlConfig {
  const replica = replicaOf(service);
  if (replica) return replica;
  throw new OperatorError("usage", `${name} has no replica in the configuration`, {
    next: "add one, or leave --replica away",
  });
}
