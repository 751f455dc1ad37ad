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
  /** Makes a connection that goes through this jump host first, when its turn has come; absent: at once. */
  throughJump?: (jump: string, open: () => Promise<Connection>) => Promise<Connection>;
}

/** Given a host, look it up afresh and open an ssh connection to it, over its jump hosts. Errors: those of `locateHost` and `connect`. */
export async function connectHost(host: Host, options: ReachOptions): Promise<Connection> {
  const route = await findRoute(host, options);
  const open = (): Promise<Connection> => connect(route, connectOptions(options));
  const { throughJump } = options;
  const isBehind = route.length > 1 && throughJump !== undefined;
  const connection = await (isBehind ? throughJump(route[0].name, open) : open());
  for (const hop of route) await options.reached?.(hop.name);
  return connection;
}

/** Given a host, look it up afresh and return what accepting the key that it shows would change; see `planHostKeyChange`. */
export async function planHostTrust(host: Host, options: ReachOptions): Promise<HostKeyChange> {
  return planHostKeyChange(await findRoute(host, options), connectOptions(options));
}

async function findRoute(host: Host, options: ReachOptions): Promise<Route> {
  // A lookup that hangs has limits of its own; who leaves does not wait for them.
  const route = await leaveOnAbort(locateHost(host, options), options.signal);
  for (const hop of route)
    options.trace(`${hop.name}: ${hop.user}@${hop.address} port ${hop.port}`);
  return route;
}

/** The signal lives as long as a tunnel, which is looked up many times: nothing stays on it. */
function leaveOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
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
