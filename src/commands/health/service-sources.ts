import type { ReachableConfig } from "../../config/schema.ts";
import { describeObstacle, lend, type OpenService, openService } from "../../reach/open-service.ts";
import type { SharedConnections } from "../../reach/share-connections.ts";
import { mysql } from "../../services/mysql/mysql.ts";
import { replicaOf } from "../../services/mysql/settings.ts";
import { probeService, serviceTypeOf } from "../../services/registry.ts";
import type { HealthReader } from "../../services/service.ts";
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
    loadReader: () => Promise<HealthReader["readHealth"]>,
  ): Source => ({
    ...about,
    limitMs: (config.host === undefined ? 0 : CONNECT_LIMIT_MS) + ASK_LIMIT_MS,
    everyMs: EVERY_MS,
    read: (signal) =>
      withPlace(about.name, config, connections, context, async (place) => {
        const readHealth = await loadReader();
        const reading = readHealth(place, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          return judgeAbsence(about.area, about.name, error);
        });
        // A service that does not answer must not hold what was opened for it, and lcops with it.
        const readings = await Promise.race([reading, untilAborted(signal)]);
        // The host's word on the refused forward tells more than the reset that it led to.
        const refusal = describeObstacle(place);
        return readings.map((one) =>
          one.state === "fail" && readings.length === 1 && refusal !== undefined
            ? { ...one, detail: refusal }
            : one,
        );
      }),
  });
  const { area = service.kind, health } = serviceTypeOf(service.kind);
  const own = sourceOf(
    { area, name },
    service,
    async () => (await health?.())?.readHealth ?? probeOnly(area, service),
  );
  const replica = mysql.is(service) ? replicaOf(service) : undefined;
  if (!replica) return [own];
  const about = { area: "replica", name: `${name}-replica` };
  return [
    own,
    sourceOf(about, replica, async () => {
      const { readReplicaHealth } = await import("../../services/mysql/read-health.ts");
      return readReplicaHealth;
    }),
  ];
}

/** For a kind that says nothing of itself: whether it answers. */
function probeOnly(area: string, config: ReachableConfig): HealthReader["readHealth"] {
  return async ({ name, endpoint }, signal) => {
    const { answers, detail } = await probeService(
      { config, endpoint },
      { timeoutMs: ASK_LIMIT_MS, signal },
    );
    return [{ area, name, state: answers ? "ok" : "fail", detail }];
  };
}

/** Calls `use` with a service that is reached over the connection to its host, and closes what was opened for it. */
export async function withPlace<T>(
  name: string,
  config: ReachableConfig,
  connections: SharedConnections,
  context: Context,
  use: (place: OpenService<ReachableConfig>) => Promise<T>,
): Promise<T> {
  const { environment, signal, reach } = context;
  const place = openService(name, config, await context.config(), {
    environment,
    signal,
    reach,
    connect: async (host) => lend(await connectThrough(connections, host)),
  });
  try {
    // First: what is thrown here is of the way, and not of the service.
    await place.endpoint();
    return await use(place);
  } finally {
    await place.close();
  }
}
