import type { ReachableConfig } from "../config/schema.ts";
import { findHost } from "../inventory/select-hosts.ts";
import { describeError } from "../system/errors.ts";
import { connectHost, type ReachOptions } from "./connect-host.ts";
import { forwardPort } from "./forward-port.ts";
import { findOpenPort } from "./port-record.ts";

export interface Reached {
  host: string;
  port: number;
  /** In words: `directly`, `over the open tunnel graphite`, `through GraphStats`. */
  way: string;
  /** Why the last connection through the host came to nothing; undefined where it came through, or none goes through a host of ours. */
  obstacle(): unknown;
  close(): Promise<void>;
}

/**
 * Given a service, return where it is reached from this machine: directly where it has no host, over the port of its open tunnel,
 * else through a forward of its own that lives until `close`. Errors: those of `connectHost`.
 */
export async function reachService(
  name: string,
  service: Pick<ReachableConfig, "host" | "address" | "port">,
  runtimeFolder: string,
  options: ReachOptions,
): Promise<Reached> {
  const address = service.address ?? "127.0.0.1";
  const nothing = { obstacle: () => undefined, close: () => Promise.resolve() };
  if (service.host === undefined)
    return { host: address, port: service.port, way: "directly", ...nothing };
  const target = { host: address, port: service.port };
  const open = await findOpenPort(runtimeFolder, {
    configPath: options.configPath,
    name,
    host: service.host,
    target,
  });
  if (open)
    return {
      host: "127.0.0.1",
      port: open.port,
      way: `over the open tunnel ${name}`,
      ...nothing,
    };
  const connection = await connectHost(findHost(options.hosts, service.host), options);
  let obstacle: unknown;
  const forward = await forwardPort(0, target, {
    connect: () => Promise.resolve(connection),
    report: (error) => {
      obstacle = error;
      if (error !== undefined) options.trace(`${name}: ${describeError(error)}`);
    },
  }).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  return {
    host: "127.0.0.1",
    port: forward.port,
    way: `through ${service.host}`,
    obstacle: () => obstacle,
    close: async () => {
      await forward.close();
      await connection.close();
    },
  };
}
