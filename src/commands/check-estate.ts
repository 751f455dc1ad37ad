import pLimit from "p-limit";
import type { Config } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";
import { connectHost, type ReachOptions } from "../reach/connect-host.ts";
import { describeObstacle, lend, openService } from "../reach/open-service.ts";
import { probeService } from "../services/registry.ts";
import type { Connection } from "../ssh/connect.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";
import type { NamedService } from "./pick-services.ts";

/** sshd begins to drop connections at ten that have not logged in yet (sshd_config(5), MaxStartups). */
const AT_ONCE = 8;
const PROBE_TIMEOUT_MS = 10_000;

interface CheckOptions {
  config: Config;
  reach: ReachOptions;
}

/**
 * Given hosts and services, log in to each host and ask each service, through its host where it has one; return what was found,
 * hosts first. `update` is told how far it is. Nothing but the aborted signal throws: what cannot be reached is a finding.
 */
export async function checkEstate(
  hosts: readonly Host[],
  services: readonly NamedService[],
  options: CheckOptions,
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
        services: [await checkService(named, options)],
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
  options: CheckOptions,
): Promise<{ host: Finding; services: Finding[] }> {
  let connection: Connection;
  const started = performance.now();
  try {
    connection = await connectHost(host, options.reach);
  } catch (error) {
    options.reach.signal.throwIfAborted();
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
        services.map((named) => checkService(named, options, connection)),
      ),
    };
  } finally {
    await connection.close();
  }
}

async function checkService(
  [name, service]: NamedService,
  { config, reach }: CheckOptions,
  connection?: Connection,
): Promise<Finding> {
  const { environment, signal } = reach;
  const place = openService(name, service, config, {
    environment,
    signal,
    reach: () => Promise.resolve(reach),
    ...(connection && { connect: () => Promise.resolve(lend(connection)) }),
  });
  try {
    const found = await probeService(place, { timeoutMs: PROBE_TIMEOUT_MS, signal });
    const detail = `${service.kind}: ${found.detail}`;
    if (found.answers) return { area: "service", name, state: "ok", detail };
    // The host's word on the refused forward tells more than the reset that it led to.
    return { area: "service", name, state: "fail", detail: describeObstacle(place) ?? detail };
  } finally {
    await place.close();
  }
}

function describeFailure(error: unknown): Pick<Finding, "state" | "detail" | "next"> {
  return {
    state: "fail",
    detail: describeError(error),
    ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
  };
}
