import type { PlannedHost } from "../../fleet/gather-plans.ts";
import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { describeObstacles, type HeededAlarms } from "./heed-alarms.ts";

/** Given the plans of hosts and how many may be lost, throw `refused` where more cannot be reached. */
export function refuseLost(planned: readonly PlannedHost[], maxFailures: number): void {
  const unreached = planned.flatMap((host) => ("unreached" in host ? [host.unreached] : []));
  if (unreached.length <= maxFailures) return;
  throw new OperatorError(
    "refused",
    `${countOf(unreached.length, "host is", "hosts are")} not reached, and ${maxFailures} may be lost; nothing was done`,
    {
      next: "mend them, leave them out, or raise fleet.maxFailures",
      details: unreached,
    },
  );
}

/** Given how the alarms are, throw `refused` where one is in the way. */
export function refuseObstacles(alarms: HeededAlarms | undefined): void {
  const reason = describeObstacles(alarms);
  if (reason === undefined) return;
  throw new OperatorError("refused", `${reason}; nothing was done`, {
    next: "have all of them say OK, or take what need not out of the aws.alarms of its environment",
    details: alarms?.obstacles.slice(1) ?? [],
  });
}
