import type { Finding } from "../../system/finding.ts";
import { observeServices } from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";
import { describeState } from "./describe-state.ts";
import { openPanel } from "./open-panel.ts";

/** Given the context, return a finding for each service of the panel; that one is off is none of doctor's business. */
export async function checkServices(context: Context): Promise<Finding[]> {
  const statuses = await observeServices(await openPanel(context));
  return statuses.map(({ name, state, pending, partly, detail }) => {
    const isWell = pending === null && !partly && ["on", "off", "starting"].includes(state);
    const seen = describeState({ state, pending, partly });
    return {
      area: "machine",
      name,
      state: isWell ? "ok" : "warn",
      detail: detail === null ? seen : `${seen}: ${detail}`,
      ...(!isWell && { next: "see lcops machine status, and workstation.services" }),
    };
  });
}
