import type { ReachableConfig } from "../config/schema.ts";
import type { ServicePlace } from "../reach/service-place.ts";
import { loadServiceType } from "./registry.ts";
import type { ProbeOptions, ProbeResult } from "./service.ts";

/** Asks a service in its own protocol, and returns whether it answers. Throws the errors of the way to it, and the signal's reason. */
export async function probeService(
  { config, endpoint }: Pick<ServicePlace<ReachableConfig>, "config" | "endpoint">,
  limits: Pick<ProbeOptions, "timeoutMs" | "signal">,
): Promise<ProbeResult> {
  const { probe } = await loadServiceType(config.kind);
  return probe(await endpoint(), {
    ...limits,
    ...("path" in config && config.path !== undefined && { path: config.path }),
    ...("tls" in config && config.tls !== undefined && { tls: true }),
  });
}
