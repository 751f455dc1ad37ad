import type { Config } from "../config/schema.ts";
import type { ReachOptions } from "../reach/connect-host.ts";
import { reachService } from "../reach/reach-service.ts";
import { loadServiceType } from "../services/registry.ts";
import { describeInOneLine } from "../system/errors.ts";

const TIMEOUT_MS = 10_000;

/** What does not answer, with the reason. */
export interface SilentService {
  name: string;
  why: string;
}

/** Given hosts by name, ask the services that the configuration has on them, each in its own protocol, and return those that do not answer. */
export async function askServices(
  hosts: readonly string[],
  services: Config["services"] = {},
  runtimeFolder: string,
  reach: ReachOptions,
): Promise<SilentService[]> {
  const there = Object.entries(services).flatMap(([name, service]) => {
    const isThere = service.kind !== "s3" && hosts.includes(service.host ?? "");
    return isThere ? [[name, service] as const] : [];
  });
  const found = await Promise.all(
    there.map(async ([name, service]) => {
      try {
        const reached = await reachService(name, service, runtimeFolder, reach);
        try {
          const { probe } = await loadServiceType(service.kind);
          const { host, port } = reached;
          const { answers, detail } = await probe(
            { host, port },
            {
              timeoutMs: TIMEOUT_MS,
              signal: reach.signal,
              ...("path" in service && service.path !== undefined && { path: service.path }),
              ...("tls" in service && service.tls !== undefined && { tls: true }),
            },
          );
          return answers ? [] : [{ name, why: detail }];
        } finally {
          await reached.close();
        }
      } catch (error) {
        // Who is stopped has asked nobody.
        reach.signal.throwIfAborted();
        return [{ name, why: describeInOneLine(error) }];
      }
    }),
  );
  return found.flat();
}
