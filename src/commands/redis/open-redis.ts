import { environmentOf } from "../../config/environments.ts";
import type { Config } from "../../config/schema.ts";
import { describeTarget, openService } from "../../reach/open-service.ts";
import type { RedisPlace } from "../../services/redis/connect-redis.ts";
import { redis } from "../../services/redis/redis.ts";
import type { RedisConfig } from "../../services/redis/settings.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";

/** A Redis of the configuration, reached. */
export interface OpenRedis {
  name: string;
  environment: string | undefined;
  /** One that is not marked is guarded. */
  isProduction: boolean;
  place: RedisPlace;
  /** Why the last connection through its host came to nothing; undefined where none is known to. */
  obstacle: () => OperatorError | undefined;
  /** Where it is as the host sees it, and how it is reached: `10.0.3.20:6379 through prod-api3-1`. */
  where: string;
}

/**
 * Given the name of a Redis or of the host through which one is reached, reach it and call `use` with it. `database` is instead of the configured
 * one. Throws `usage` where the name says no Redis, or several.
 */
export async function withRedis<T>(
  context: Context,
  target: string,
  use: (open: OpenRedis) => Promise<T>,
  database?: number,
): Promise<T> {
  const config = await context.config();
  const { name, service } = findRedis(config, target);
  const environment = environmentOf(service, config);
  const wanted = context.environmentFlag;
  if (wanted !== undefined && wanted !== environment) {
    throw new OperatorError(
      "usage",
      `${name} belongs to ${environment ?? "no environment"}, not to ${wanted}`,
      { next: "correct --env or the target" },
    );
  }
  const open = openService(name, service, config, context);
  const { isProduction, obstacle } = open;
  try {
    const password = await open.password();
    const { host, port } = await open.endpoint();
    const [tls, way] = [open.tls(), await open.way()];
    context.terminal.trace(`${name}: ${host}:${port} ${way}`);
    return await use({
      name,
      environment,
      isProduction,
      obstacle,
      where: `${describeTarget(service)} ${way}`,
      place: {
        name,
        host,
        port,
        ...(service.user !== undefined && { user: service.user }),
        ...(password !== undefined && { password }),
        database: database ?? service.database ?? 0,
        ...(tls && { tls }),
      },
    });
  } catch (error) {
    // The client has seen no more than a connection that was reset.
    const isWay = error instanceof OperatorError && error.kind === "unreachable";
    throw (isWay && obstacle()) || error;
  } finally {
    await open.close();
  }
}

/** Returns the Redis of that name, or the only one that is reached through the host of that name. Throws `usage`. Pure. */
export function findRedis(config: Config, target: string): { name: string; service: RedisConfig } {
  const all = Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    redis.is(service) ? [{ name, service }] : [],
  );
  const named = all.filter(({ name }) => name === target);
  const found = named.length > 0 ? named : all.filter(({ service }) => service.host === target);
  const [only] = found;
  if (only && found.length === 1) return only;
  const names = (some: typeof all): string => some.map(({ name }) => name).join(", ");
  if (only) {
    throw new OperatorError("usage", `several are reached through ${target}: ${names(found)}`, {
      next: "name one of them",
    });
  }
  throw new OperatorError(
    "usage",
    `there is no redis ${target}, and none is reached through a host of that name`,
    {
      next:
        all.length > 0
          ? `there are ${names(all)}; "host" of a service says through which host it is reached`
          : "add one to the services of the configuration",
    },
  );
}
