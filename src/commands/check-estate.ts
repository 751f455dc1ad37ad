import pLimit from "p-limit";
import type { ReachableConfig } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";
import { connectHost, type ReachOptions } from "../reach/connect-host.ts";
import { forwardPort } from "../reach/forward-port.ts";
import { loadServiceType } from "../services/registry.ts";
import type { Endpoint } from "../services/service.ts";
import type { Connection } from "../ssh/connect.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";

/** sshd begins to drop connections at ten that have not logged in yet (sshd_config(5), MaxStartups). */
const AT_ONCE = 8;
const PROBE_TIMEOUT_MS = 10_000;

type NamedService = readonly [name: string, service: ReachableConfig];

/**
 * Given hosts and services, log in to each host and ask each service, through its host where it has one; return what was found,
 * hosts first. `update` is told how far it is. Nothing but the aborted signal throws: what cannot be reached is a finding.
 */
export async function checkEstate(
  hosts: readonly Host[],
  services: readonly NamedService[],
  options: ReachOptions,
  update: (line: string) => void,
): Promise<Finding[]> {
  const limit = pLimit(AT_ONCE);
  let done = 0;
  const checks = [
    ...hosts.map((host) => () => checkHost(host, servicesOf(host, services), options)),
    ...services
      .filter(([, service]) => service.host === undefined)
      .map((named) => async () => ({
        host: undefined,
        services: [await checkDirectly(named, options)],
      })),
  ];
  const found = await Promise.all(
    checks.map((check) =>
      limit(async () => {
        const result = await check();
        update(`${++done} of ${checks.length} reached or given up`);
        return result;
      }),
    ),
  );
  return [...found.flatMap(({ host }) => host ?? []), ...found.flatMap((one) => one.services)];
}

function servicesOf(host: Host, services: readonly NamedService[]): NamedService[] {
  return services.filter(([, service]) => service.host === host.name);
}

async function checkHost(
  host: Host,
  services: readonly NamedService[],
  options: ReachOptions,
): Promise<{ host: Finding; services: Finding[] }> {
  let connection: Connection;
  const started = performance.now();
  try {
    connection = await connectHost(host, options);
  } catch (error) {
    options.signal.throwIfAborted();
    return {
      host: { area: "host", name: host.name, ...describeFailure(error) },
      services: services.map(([name]) => ({
        area: "service",
        name,
        state: "fail",
        detail: `not reached, as ${host.name} is not`,
      })),
    };
  }
  const detail = `${connection.address}, logged in after ${Math.round(performance.now() - started)} ms`;
  try {
    return {
      host: { area: "host", name: host.name, state: "ok", detail },
      services: await Promise.all(
        services.map((named) => checkThrough(connection, named, options)),
      ),
    };
  } finally {
    await connection.close();
  }
}

async function checkThrough(
  connection: Connection,
  named: NamedService,
  options: ReachOptions,
): Promise<Finding> {
  const [, service] = named;
  const target = { host: service.address ?? "127.0.0.1", port: service.port };
  let refusal: string | undefined;
  const forward = await forwardPort(0, target, {
    connect: () => Promise.resolve(connection),
    report: (error) => {
      if (error !== undefined) refusal = `${target.host}:${target.port}: ${describeError(error)}`;
    },
  });
  try {
    const finding = await probe(named, { host: "127.0.0.1", port: forward.port }, options);
    // What the host said of the refused forward tells more than the reset that it led to.
    return finding.state === "fail" && refusal !== undefined
      ? { ...finding, detail: refusal }
      : finding;
  } finally {
    await forward.close();
  }
}

function checkDirectly(named: NamedService, options: ReachOptions): Promise<Finding> {
  const [, service] = named;
  return probe(named, { host: service.address ?? "127.0.0.1", port: service.port }, options);
}

async function probe(
  [name, service]: NamedService,
  endpoint: Endpoint,
  options: ReachOptions,
): Promise<Finding> {
  const type = await loadServiceType(service.kind);
  const result = await type.probe(endpoint, {
    timeoutMs: PROBE_TIMEOUT_MS,
    signal: options.signal,
    ...("path" in service && service.path !== undefined && { path: service.path }),
    ...("tls" in service && service.tls !== undefined && { tls: true }),
  });
  const detail = `${service.kind}: ${result.detail}`;
  return { area: "service", name, state: result.answers ? "ok" : "fail", detail };
}

function describeFailure(error: unknown): Pick<Finding, "state" | "detail" | "next"> {
  return {
    state: "fail",
    detail: describeError(error),
    ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
  };
}
