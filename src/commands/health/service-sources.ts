import { expandHome } from "../../config/folders.ts";
import type { ReachableConfig } from "../../config/schema.ts";
import { forwardPort } from "../../reach/forward-port.ts";
import type { SharedConnections } from "../../reach/share-connections.ts";
import { loadServiceType } from "../../services/registry.ts";
import type { Endpoint, HealthPlace, ReadHealth } from "../../services/service.ts";
import { describeError } from "../../system/errors.ts";
import { untilAborted } from "../../system/until-aborted.ts";
import type { Context } from "../command.ts";
import type { NamedService } from "../pick-services.ts";
import { CONNECT_LIMIT_MS, connectThrough } from "./host-sources.ts";
import { judgeAbsence, type Source } from "./source.ts";

const ASK_LIMIT_MS = 10_000;
const EVERY_MS = 10_000;

/** Given a service, return what can be asked of it, and of its replica. */
export function serviceSources(
  [name, service]: NamedService,
  connections: SharedConnections,
  context: Context,
): Source[] {
  const sourceOf = (
    about: { area: string; name: string },
    config: ReachableConfig,
    loadReader: () => Promise<ReadHealth>,
  ): Source => ({
    ...about,
    limitMs: (config.host === undefined ? 0 : CONNECT_LIMIT_MS) + ASK_LIMIT_MS,
    everyMs: EVERY_MS,
    read: async (signal) => {
      let refusal: string | undefined;
      const readings = await withPlace(
        about.name,
        config,
        connections,
        context,
        async (place) => {
          const readHealth = await loadReader();
          const reading = readHealth(place, signal).catch((error: unknown) => {
            signal.throwIfAborted();
            return judgeAbsence(about.area, about.name, error);
          });
          // Whoever does not answer must not hold what was opened for it, and with it lcops.
          return Promise.race([reading, untilAborted(signal)]);
        },
        (why) => (refusal = why),
      );
      // What the host said of the refused forward tells more than the reset that it led to.
      return readings.map((one) =>
        one.state === "fail" && readings.length === 1 && refusal !== undefined
          ? { ...one, detail: refusal }
          : one,
      );
    },
  });
  const area = AREAS[service.kind];
  const own = sourceOf({ area, name }, service, async () => {
    const type = await loadServiceType(service.kind);
    return (await type.health?.()) ?? probeOnly(area, service);
  });
  if (service.kind !== "mysql" || !service.replica) return [own];
  const replica = { ...service, ...definedOf(service.replica) } as ReachableConfig;
  const about = { area: "replica", name: `${name}-replica` };
  return [
    own,
    sourceOf(about, replica, async () => {
      const { readReplicaHealth } = await import("../../services/mysql/read-health.ts");
      return readReplicaHealth;
    }),
  ];
}

const AREAS: Record<ReachableConfig["kind"], string> = {
  elasticsearch: "search",
  graphite: "graphite",
  http: "http",
  monit: "monit",
  mysql: "mysql",
  redis: "redis",
};

/** Of a kind that says nothing of itself: whether it answers. */
function probeOnly(area: string, service: ReachableConfig): ReadHealth {
  return async (place, signal) => {
    const type = await loadServiceType(service.kind);
    const { answers, detail } = await type.probe(await place.endpoint(), {
      timeoutMs: ASK_LIMIT_MS,
      signal,
      ...("path" in service && service.path !== undefined && { path: service.path }),
    });
    return [{ area, name: place.name, state: answers ? "ok" : "fail", detail }];
  };
}

/** Given a service, call `use` with the ways to it; what was opened for it is closed behind. `onRefusal` is told what its host says of a refused forward. */
export async function withPlace<T>(
  name: string,
  config: ReachableConfig,
  connections: SharedConnections,
  context: Context,
  use: (place: HealthPlace) => Promise<T>,
  onRefusal: (why: string) => void = () => undefined,
): Promise<T> {
  const target = { host: config.address ?? "127.0.0.1", port: config.port };
  const password = (): Promise<string | undefined> => readPassword(config, context);
  const useAt = (endpoint: Endpoint): Promise<T> =>
    use({ name, config: withPaths(config), endpoint: async () => endpoint, password });
  if (config.host === undefined) return useAt(target);
  const connection = await connectThrough(connections, config.host);
  const forward = await forwardPort(0, target, {
    connect: () => Promise.resolve(connection),
    report: (error) => {
      if (error !== undefined) onRefusal(`${target.host}:${target.port}: ${describeError(error)}`);
    },
  });
  try {
    return await useAt({ host: "127.0.0.1", port: forward.port });
  } finally {
    await forward.close();
  }
}

/** Given a service, return its password, where it has one. Throws what `readSecret` throws. */
export async function readPassword(
  config: ReachableConfig,
  { environment, signal }: Pick<Context, "environment" | "signal">,
): Promise<string | undefined> {
  if (!("password" in config) || config.password === undefined) return undefined;
  const { readSecret } = await import("../../config/read-secret.ts");
  return readSecret(config.password, { environment, signal });
}

/** Given a service, return it with its paths from the root: services know no home folder. */
export function withPaths(config: ReachableConfig): ReachableConfig {
  if (!("tls" in config) || config.tls === undefined || config.tls === true) return config;
  const { ca, certificate, key } = config.tls;
  const files = definedOf({ ca, certificate, key });
  const expanded = Object.fromEntries(
    Object.entries(files).map(([name, path]) => [name, expandHome(path ?? "")]),
  );
  return { ...config, tls: { ...config.tls, ...expanded } };
}

const definedOf = <T extends object>(given: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
