import type { Host } from "../inventory/host.ts";
import { locateHost, type LocateOptions } from "../inventory/locate-host.ts";
import { connect, type Connection, type ConnectOptions } from "../ssh/connect.ts";

export type { Connection };

/** What it takes to reach anything of the inventory. */
export interface ReachOptions extends LocateOptions {
  /** The configuration in force: what a name means. */
  configPath: string;
  /** How to ask the operator; absent where nobody is there. */
  ask?: NonNullable<ConnectOptions["ask"]>;
  trace: (line: string) => void;
  /** Told of each machine on the way once its host key is verified. */
  reached?: (name: string) => Promise<void>;
}

/** Given a host, look it up afresh and open an ssh connection to it, over its jump hosts. Errors: those of `locateHost` and `connect`. */
export async function connectHost(host: Host, options: ReachOptions): Promise<Connection> {
  const route = await locateHost(host, options);
  for (const hop of route)
    options.trace(`${hop.name}: ${hop.user}@${hop.address} port ${hop.port}`);
  const connection = await connect(route, {
    signal: options.signal,
    log: options.trace,
    ...(options.ask && { ask: options.ask }),
  });
  for (const hop of route) await options.reached?.(hop.name);
  return connection;
}
