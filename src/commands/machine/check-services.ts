import type { Finding } from "../../system/finding.ts";
import { observeServices, type ServiceStatus } from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";
import { describeState } from "./describe-state.ts";
import { openPanel } from "./open-panel.ts";

/** Given the context, return a finding for each service of the panel; that one is off is none of doctor's business. */
export async function checkServices(context: Context): Promise<Finding[]> {
  return (await observeServices(await openPanel(context))).map(judgeService);
}

/** Returns the finding of a service, given its status. Pure. */
export function judgeService({
  name,
  state,
  pending,
  partly,
  detail,
}: Omit<ServiceStatus, "key" | "title" | "kind">): Finding {
  const isWell = pending === null && !partly && ["on", "off", "starting"].includes(state);
  const seen = describeState({ state, pending, partly });
  return {
    area: "machine",
    name,
    state: isWell ? "ok" : "warn",
    detail: detail === null ? seen : `${seen}: ${detail}`,
    ...(!isWell && { next: "see lcops machine status, and workstation.services" }),
  };
}
