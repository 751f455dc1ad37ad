import pLimit from "p-limit";
import type { Config, ReachableConfig } from "../config/schema.ts";
import type { ReachOptions } from "../reach/connect-host.ts";
import { openService } from "../reach/open-service.ts";
import { probeService, serviceTypeOf } from "../services/registry.ts";
import { describeInOneLine } from "../system/errors.ts";
import { LOGINS_AT_ONCE } from "./pace-jumps.ts";

const TIMEOUT_MS = 10_000;

/** What does not answer, or what a Monit says is not well, with the reason. */
export interface IllService {
  /** Of the service, `prod-monit/nginx` of what a Monit watches. */
  name: string;
  /** The host that it is on. */
  host: string;
  why: string;
}

export interface AskOptions {
  config: Config;
  reach: ReachOptions;
  runtimeFolder: string;
  /** Hosts at the same time. */
  atOnce: number;
}

type ServiceOnHost = readonly [name: string, service: ReachableConfig & { host: string }];

/** Given hosts by name, return the services that the configuration has on them. Pure. */
export function servicesOn(
  hosts: readonly string[],
  services: Config["services"] = {},
): ServiceOnHost[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const { host, port } = service;
    if (host === undefined || port === undefined) return [];
    return hosts.includes(host) ? [[name, { ...service, host, port }]] : [];
  });
}

/**
 * Given services, ask them, each in its own protocol, and return those that do not answer; of a Monit also what it says is not well, or what it was told
 * to leave. What it has not looked at yet, as when it was restarted, is not held against the host. Throws the signal's reason.
 */
export async function askServices(
  services: readonly ServiceOnHost[],
  options: AskOptions,
): Promise<IllService[]> {
  const { reach, atOnce } = options;
  // Each logs in for itself, and all of them may be on one host.
  const limit = pLimit(Math.min(atOnce, LOGINS_AT_ONCE));
  const asked = services.map(([name, service]) =>
    limit(async (): Promise<IllService[]> => {
      try {
        return await askService(name, service, options);
      } catch (error) {
        // Who is stopped has asked nobody.
        reach.signal.throwIfAborted();
        return [{ name, host: service.host, why: describeInOneLine(error) }];
      }
    }),
  );
  return (await Promise.all(asked)).flat();
}

async function askService(
  name: string,
  service: ServiceOnHost[1],
  { config, reach, runtimeFolder }: AskOptions,
): Promise<IllService[]> {
  const { host } = service;
  const { environment, signal } = reach;
  const place = openService(name, service, config, {
    environment,
    signal,
    terminal: { trace: reach.trace },
    reach: () => Promise.resolve(reach),
    folders: { runtime: runtimeFolder },
  });
  try {
    const { answers, detail } = await probeService(place, { timeoutMs: TIMEOUT_MS, signal });
    if (!answers) return [{ name, host, why: detail }];
    const { health, watchesHost } = serviceTypeOf(service.kind);
    if (!watchesHost || !health) return [];
    const { readHealth } = await health();
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    return (await readHealth(place, limited)).flatMap((one) =>
      one.state === "fail" || one.state === "unmonitored"
        ? [{ name: one.name, host, why: one.detail }]
        : [],
    );
  } finally {
    await place.close();
  }
}
