import { expandHome, type Folders } from "../config/folders.ts";
import { environmentOf, isGuarded } from "../config/environments.ts";
import { type Config, hasPort, type ServiceConfig } from "../config/schema.ts";
import { findHost } from "../inventory/select-hosts.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { once } from "../system/once.ts";
import type { Connection, ReachOptions } from "./connect-host.ts";
import type { Endpoint, ServicePlace, ServiceTls } from "./service-place.ts";
import type { SharedConnections } from "./share-connections.ts";

/** The part of a run that the ways to services are made of; the context of a command has it. */
export interface ServiceWays {
  /** The variables in which secrets are. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Told with `-v` of each socket that did not get through; absent: nobody is. */
  terminal?: { trace(line: string): void };
  reach: () => Promise<ReachOptions>;
  /** Where runs of lcops find the tunnels of each other; absent: an open tunnel is not used. */
  folders?: Pick<Folders, "runtime">;
  /** Returns the connection to a host, which the service closes; absent: that of `connectHost`. One that others use too is lent. */
  connect?: (host: string) => Promise<Connection>;
}

/** A service of the configuration and the ways to it, and how they are closed. */
export interface OpenService<C extends ServiceConfig = ServiceConfig> extends ServicePlace<C> {
  /** In words how `endpoint` reaches it: `directly`, `over the open tunnel graphite`, `through GraphStats`. */
  way(): Promise<string>;
  /**
   * Why the last socket to it did not get through its host, which the socket's client sees as a reset only; undefined where it did, and where
   * none goes through a host. Its `cause` is what the host said.
   */
  obstacle(): OperatorError | undefined;
  /** Closes what was opened, the last first; what is still on its way is closed once it is there. */
  close(): Promise<void>;
}

/** Opens a service of the configuration as one of several that are closed together. */
export type OpenServices = <C extends ServiceConfig>(
  name: string,
  service: C,
  within?: string,
) => OpenService<C>;

/** Returns a connection for one of several users: its `close` leaves it to the others. */
export function lend(connection: Connection): Connection {
  return { ...connection, close: () => Promise.resolve() };
}

/** Returns with its address what the host of a service said of the last socket to it; undefined where it has no obstacle. */
export function describeObstacle({
  config,
  obstacle,
}: Pick<OpenService, "config" | "obstacle">): string | undefined {
  const why = obstacle();
  return why && `${describeTarget(config)}: ${describeError(why.cause)}`;
}

/** Returns the address and the port of a service, as its host sees them: `10.0.3.20:6379`. Pure. */
export function describeTarget(service: Pick<ServiceConfig, "address" | "port">): string {
  return `${service.address ?? "127.0.0.1"}:${service.port}`;
}

/**
 * Returns a service with the ways to it, of which none is opened before it is asked for: a forward over the connection to its host where it has one,
 * else its own address; the port of its open tunnel goes before both. Errors of a way: those of `connectHost`, `readSecret` and `findScope`.
 */
export function openService<C extends ServiceConfig>(
  name: string,
  config: C,
  estate: Config,
  ways: ServiceWays,
  within?: string,
): OpenService<C> {
  const service: ServiceConfig = config;
  const environment = environmentOf(service, estate);
  const closers: (() => Promise<void>)[] = [];
  let isClosed = false;
  let refusal: unknown;
  const closeLater = async (close: () => Promise<void>): Promise<void> => {
    if (isClosed) await close();
    else closers.push(close);
  };

  const findReach = once(ways.reach);
  const connect = async (host: string): Promise<Connection> => {
    const { connectHost } = await import("./connect-host.ts");
    const reach = await findReach();
    return connectHost(findHost(reach.hosts, host), reach);
  };
  const connection = once(async () => {
    if (service.host === undefined) return undefined;
    const opened = await (ways.connect ?? connect)(service.host);
    await closeLater(opened.close);
    return opened;
  });

  const reached = once(async (): Promise<Endpoint & { way: string }> => {
    if (!hasPort(service)) throw new Error(`${name} is a bucket, which has no port`);
    const { host: through, address: host = "127.0.0.1", port } = service;
    if (through === undefined) return { host, port, way: "directly" };
    const target = { host, port };
    if (ways.folders) {
      const { configPath } = await findReach();
      const { findOpenPort } = await import("./port-record.ts");
      const tunnel = { configPath, name, host: through, target };
      const open = await findOpenPort(ways.folders.runtime, tunnel);
      if (open) return { host: "127.0.0.1", port: open.port, way: `over the open tunnel ${name}` };
    }
    const made = await connection();
    if (!made) throw new Error(`${name} has a host and no connection to it`);
    const { forwardPort } = await import("./forward-port.ts");
    const forward = await forwardPort(0, target, {
      connect: () => Promise.resolve(made),
      report: (error) => {
        refusal = error;
        if (error !== undefined) ways.terminal?.trace(`${name}: ${describeError(error)}`);
      },
    });
    await closeLater(forward.close);
    return { host: "127.0.0.1", port: forward.port, way: `through ${through}` };
  });

  return {
    name,
    config,
    environment,
    isProduction: isGuarded(environment, estate),
    ...(within !== undefined && { within }),
    endpoint: async () => {
      const { host, port } = await reached();
      return { host, port };
    },
    way: async () => (await reached()).way,
    host: connection,
    password: once(async () => {
      if (service.password === undefined) return undefined;
      const { readSecret } = await import("../config/read-secret.ts");
      return readSecret(service.password, ways);
    }),
    tls: () => readTls(service),
    aws: async (region, other) => {
      const { findScope } = await import("./find-scope.ts");
      return findScope(estate, other ?? environment, region, ways);
    },
    obstacle: () => (refusal === undefined ? undefined : explainRefusal(name, refusal)),
    close: async () => {
      isClosed = true;
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

function readTls(service: ServiceConfig): ServiceTls | undefined {
  if (service.tls === undefined) return undefined;
  const { address = "127.0.0.1", tls } = service;
  const { serverName = address, ca, certificate, key } = tls === true ? {} : tls;
  return {
    serverName,
    ...(ca !== undefined && { ca: expandHome(ca) }),
    ...(certificate !== undefined && { certificate: expandHome(certificate) }),
    ...(key !== undefined && { key: expandHome(key) }),
  };
}

function explainRefusal(name: string, refusal: unknown): OperatorError {
  const { kind = "unreachable", next = "see lcops doctor" } =
    refusal instanceof OperatorError ? refusal : {};
  return new OperatorError(kind, `${name}: ${describeError(refusal)}`, { next, cause: refusal });
}

/**
 * Calls `use` with what opens services. All that it opened is closed after that, the last first. Services of one host share its connection;
 * a connection that could not be made, or was lost, is made again for the next service that asks.
 */
export async function withServices<T>(
  config: Config,
  ways: ServiceWays,
  use: (open: OpenServices) => Promise<T>,
): Promise<T> {
  const opened: OpenService[] = [];
  let shared: Promise<SharedConnections> | undefined;
  const share = async (): Promise<SharedConnections> => {
    const { shareConnections } = await import("./share-connections.ts");
    return shareConnections(await ways.reach());
  };
  const connect = async (host: string): Promise<Connection> => {
    const connections = await (shared ??= share());
    connections.forgetFailure(host);
    return lend(await connections.connect(host));
  };
  const own: ServiceWays = { ...ways, connect };
  try {
    return await use((name, service, within) => {
      const place = openService(name, service, config, own, within);
      opened.push(place);
      return place;
    });
  } finally {
    for (const place of opened.toReversed()) await place.close();
    await (await shared?.catch(() => undefined))?.close();
  }
}
