import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import type { Host } from "./host.ts";

/**
 * Given the configuration, return every host that it and the user's ssh configuration name, in that order.
 * What the configuration says of a host wins; its ssh settings are asked again at each connect.
 */
export function listHosts(config: Config): Host[] {
  const hosts = new Map<string, Host>();
  for (const [name, { ...given }] of Object.entries(config.hosts ?? {})) {
    hosts.set(name, { name, source: "config", ...withoutUndefined(given) });
  }
  for (const found of readSshHosts(config.ssh?.configFile)) {
    if (hosts.has(found.name)) continue;
    hosts.set(found.name, {
      name: found.name,
      source: "ssh-config",
      ...(found.hostName !== undefined && { address: { dns: found.hostName } }),
      ...(found.user !== undefined && { user: found.user }),
      ...(found.port !== undefined && { port: found.port }),
    });
  }
  return [...hosts.values()];
}

/** An optional key that is there but undefined would read as given. */
function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
