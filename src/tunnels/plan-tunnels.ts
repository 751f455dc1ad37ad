import type { Config, ReachableConfig } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";
import { findHost } from "../inventory/select-hosts.ts";
import { OperatorError } from "../system/errors.ts";
import { derivePort } from "./describe-url.ts";

/** One forward, decided but not yet opened. */
export interface TunnelPlan {
  /** Name of the service; also the tunnel's. */
  name: string;
  service: ReachableConfig;
  host: Host;
  /** The service as its host sees it. */
  target: { host: string; port: number };
  localPort: number;
}

/** Given the configuration, the hosts and names of services, return their tunnels. Throws `usage` for a name that has none. Pure. */
export function planTunnels(
  config: Config,
  hosts: readonly Host[],
  names: readonly string[],
): TunnelPlan[] {
  const services = config.services ?? {};
  return [...new Set(names)].map((name) => {
    const service = Object.hasOwn(services, name) ? services[name] : undefined;
    if (!service) {
      const known = Object.keys(services).filter(
        (candidate) => services[candidate]?.host !== undefined,
      );
      throw new OperatorError("usage", `there is no service ${name}`, {
        next: known.length > 0 ? `name one of ${known.join(", ")}` : "add one to the configuration",
      });
    }
    const { port } = service;
    if (service.host === undefined || port === undefined) {
      throw new OperatorError(
        "usage",
        `${name} is reached directly, at ${service.address}:${port}`,
        {
          next: "it needs no tunnel; give it a host in the configuration if it should have one",
        },
      );
    }
    return {
      name,
      service: { ...service, port },
      host: findHost(hosts, service.host),
      target: { host: service.address ?? "127.0.0.1", port },
      localPort: service.localPort ?? derivePort(name),
    };
  });
}
