import type { ServiceStatus } from "../../workstation/open-services.ts";

/** Given what was seen of a service, return it as the panel says it. Pure. */
export function describeState({
  state,
  pending,
  partly,
}: Pick<ServiceStatus, "state" | "pending" | "partly">): string {
  const word =
    { on: "ON", off: "OFF", failed: "FAILED", starting: "STARTING" }[state as "on"] ?? state;
  if (partly) return `${word} in part`;
  return pending === null ? word : `${word}, restart pending`;
}
