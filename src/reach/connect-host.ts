import type { Host } from "../inventory/host.ts";
import { locateHost, type LocateOptions } from "../inventory/locate-host.ts";
import { connect, type Connection, type ConnectOptions } from "../ssh/connect.ts";
import { type HostKeyChange, planHostKeyChange } from "../ssh/host-key-change.ts";
import type { Route } from "../ssh/route.ts";

export type { Connection };

/** What it takes to reach anything of the inventory. */
export interface ReachOptions extends LocateOptions {
  /** The configuration in force: what a name means. */
  configPath: string;
  /** How to ask the operator; absent where nobody is there. */
  ask?: NonNullable<ConnectOptions["ask"]>;
  trace: (line: string) => void;
  /** Where is kept with which key each host has let in. */
  stateFolder?: string;
  /** Told of each machine on the way once its host key is verified. */
  reached?: (name: string) => Promise<void>;
}

/** Given a host, look it up afresh and open an ssh connection to it, over its jump hosts. Errors: those of `locateHost` and `connect`. */
export async function connectHost(host: Host, options: ReachOptions): Promise<Connection> {
  const route = await findRoute(host, options);
  const connection = await connect(route, connectOptions(options));
  for (const hop of route) await options.reached?.(hop.name);
  return connection;
}

/** Given a host, look it up afresh and return what accepting the key that it shows would change; see `planHostKeyChange`. */
export async function planHostTrust(host: Host, options: ReachOptions): Promise<HostKeyChange> {
  return planHostKeyChange(await findRoute(host, options), connectOptions(options));
}

async function findRoute(host: Host, options: ReachOptions): Promise<Route> {
  const route = await locateHost(host, options);
  for (const hop of route)
    options.trace(`${hop.name}: ${hop.user}@${hop.address} port ${hop.port}`);
  return route;
}

function connectOptions(options: ReachOptions): ConnectOptions {
  const { signal, trace, note, ask, stateFolder } = options;
  return {
    signal,
    note,
    log: trace,
    ...(ask && { ask }),
    ...(stateFolder !== undefined && { stateFolder }),
  };
}
