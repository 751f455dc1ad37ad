import type { ServiceStatus } from "../../workstation/open-services.ts";

/** Given what was seen of a service, return it as the panel says it. Pure. */
export function describeState({
  state,
  pending,
}: Pick<ServiceStatus, "state" | "pending">): string {
  const word =
    { on: "ON", off: "OFF", failed: "FAILED", starting: "STARTING" }[state as "on"] ?? state;
  return pending === null ? word : `${word}, restart pending`;
}
