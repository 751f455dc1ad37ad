import type { Config, ServiceConfig } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";

export type NamedService = readonly [name: string, service: ServiceConfig];

/** Given the configuration, the hosts and the environment that are wanted, return the services on those hosts, and those of that environment that have none. Pure. */
export function pickServices(
  config: Config,
  hosts: readonly Host[],
  environment: string | undefined,
): NamedService[] {
  const names = new Set(hosts.map((host) => host.name));
  return Object.entries(config.services ?? {}).filter(([, service]) =>
    service.host === undefined
      ? service.environment === undefined ||
        environment === undefined ||
        service.environment === environment
      : names.has(service.host),
  );
}
