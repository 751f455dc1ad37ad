import { expandHome } from "../../config/folders.ts";
import { isGuarded } from "../../config/is-guarded.ts";
import type { Config, RedisConfig } from "../../config/schema.ts";
import { reachService } from "../../reach/reach-service.ts";
import type { RedisPlace } from "../../services/redis/connect-redis.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
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
  const password =
    service.password === undefined ? undefined : await readPassword(service.password, context);
  const reached = await reachService(name, service, context.folders.runtime, await context.reach());
  const obstacle = (): OperatorError | undefined => {
    const why = reached.obstacle();
    if (why === undefined) return undefined;
    const { kind = "unreachable", next = "see lcops doctor" } =
      why instanceof OperatorError ? why : {};
    return new OperatorError(kind, `${name}: ${describeError(why)}`, { next, cause: why });
  };
  try {
    context.terminal.trace(`${name}: ${reached.host}:${reached.port} ${reached.way}`);
    return await use({
      name,
      environment,
      isProduction: isGuarded(environment, config),
      obstacle,
      where: `${service.address ?? "127.0.0.1"}:${service.port} ${reached.way}`,
      place: {
        name,
        host: reached.host,
        port: reached.port,
        ...(service.user !== undefined && { user: service.user }),
        ...(password !== undefined && { password }),
        database: database ?? service.database ?? 0,
        ...(service.tls !== undefined && { tls: readTls(service) }),
      },
    });
  } catch (error) {
    // Its client has seen no more than a connection that was reset.
    const isWay = error instanceof OperatorError && error.kind === "unreachable";
    throw (isWay && obstacle()) || error;
  } finally {
    await reached.close();
  }
}

/** Returns the Redis of that name, or the only one that is reached through the host of that name. Throws `usage`. Pure. */
export function findRedis(config: Config, target: string): { name: string; service: RedisConfig } {
  const all = Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    service.kind === "redis" ? [{ name, service }] : [],
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

function environmentOf(service: RedisConfig, config: Config): string | undefined {
  return service.host === undefined
    ? service.environment
    : config.hosts?.[service.host]?.environment;
}

/** Returns the TLS settings of a Redis, with whole paths. Pure. */
export function readTls({
  tls,
  address = "127.0.0.1",
}: RedisConfig): NonNullable<RedisPlace["tls"]> {
  const { serverName = address, ca, certificate, key } = tls === true ? {} : (tls ?? {});
  return {
    serverName,
    ...(ca !== undefined && { ca: expandHome(ca) }),
    ...(certificate !== undefined && { certificate: expandHome(certificate) }),
    ...(key !== undefined && { key: expandHome(key) }),
  };
}

async function readPassword(reference: string, context: Context): Promise<string> {
  const { readSecret } = await import("../../config/read-secret.ts");
  return readSecret(reference, { environment: context.environment, signal: context.signal });
}
