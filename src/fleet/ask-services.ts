import pLimit from "p-limit";
import type { Config } from "../config/schema.ts";
import type { ReachOptions } from "../reach/connect-host.ts";
import { reachService } from "../reach/reach-service.ts";
import { loadServiceType } from "../services/registry.ts";
import { describeInOneLine } from "../system/errors.ts";
import { LOGINS_AT_ONCE } from "./pace-jumps.ts";

const TIMEOUT_MS = 10_000;

/** What does not answer, with the reason. */
export interface SilentService {
  name: string;
  /** The host that it is on. */
  host: string;
  why: string;
}

export interface AskOptions {
  reach: ReachOptions;
  runtimeFolder: string;
  /** Hosts at the same time. */
  atOnce: number;
}

/**
 * Given hosts by name, ask the services that the configuration has on them, each in its own protocol, and return those that do not answer. Throws the
 * signal's reason.
 */
export async function askServices(
  hosts: readonly string[],
  services: Config["services"] = {},
  { reach, runtimeFolder, atOnce }: AskOptions,
): Promise<SilentService[]> {
  const there = Object.entries(services).flatMap(([name, service]) => {
    if (service.kind === "s3" || service.host === undefined) return [];
    return hosts.includes(service.host) ? [{ name, service, host: service.host }] : [];
  });
  // Each logs in for itself, and all of them may be on one host.
  const limit = pLimit(Math.min(atOnce, LOGINS_AT_ONCE));
  const asked = there.map(({ name, service, host }) =>
    limit(async (): Promise<SilentService[]> => {
      try {
        const reached = await reachService(name, service, runtimeFolder, reach);
        try {
          const { probe } = await loadServiceType(service.kind);
          const { answers, detail } = await probe(
            { host: reached.host, port: reached.port },
            {
              timeoutMs: TIMEOUT_MS,
              signal: reach.signal,
              ...("path" in service && service.path !== undefined && { path: service.path }),
              ...("tls" in service && service.tls !== undefined && { tls: true }),
            },
          );
          return answers ? [] : [{ name, host, why: detail }];
        } finally {
          await reached.close();
        }
      } catch (error) {
        // Who is stopped has asked nobody.
        reach.signal.throwIfAborted();
        return [{ name, host, why: describeInOneLine(error) }];
      }
    }),
  );
  return (await Promise.all(asked)).flat();
}
