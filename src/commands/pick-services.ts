import { type Config, hasPort, type ReachableConfig } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";

export type NamedService = readonly [name: string, service: ReachableConfig];

/** Given the configuration, the hosts and the environment that are wanted, return the services with a port on those hosts, and those of that environment that have no host. Pure. */
export function pickServices(
  config: Config,
  hosts: readonly Host[],
  environment: string | undefined,
): NamedService[] {
  const names = new Set(hosts.map((host) => host.name));
  return Object.entries(config.services ?? {}).flatMap(([name, service]) => {
    // Buckets have no port: what AWS says of their account stands for them.
    if (!hasPort(service)) return [];
    const isWanted =
      service.host === undefined
        ? service.environment === undefined ||
          environment === undefined ||
          service.environment === environment
        : names.has(service.host);
    return isWanted ? [[name, service] as const] : [];
  });
}
