import { gatherPlans, type GatherOptions, type PlannedHost } from "../../fleet/gather-plans.ts";
import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import {
  findUnderWay,
  isUnderWay,
  listUnfinished,
  type UpgradeRun,
} from "../../fleet/upgrade-state.ts";
import { OperatorError } from "../../system/errors.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context } from "../command.ts";
import { type PickedHosts, pickHosts } from "./pick-hosts.ts";

/** Hosts that are to be upgraded, and the run that is gone on with, if any. */
export interface PickedUpgrade extends PickedHosts {
  last?: UpgradeRun;
  selectors: readonly string[];
}

/** Given selectors, return the hosts that they pick; `uu` is every host of the estate, and what else ~/.ssh/config knows is none of it. Throws `usage` where that is none. */
export async function pickEstate(
  selectors: readonly string[],
  context: Context,
): Promise<PickedUpgrade> {
  const { hosts, isPartial } = await pickHosts(selectors, context);
  const estate = hosts.filter((named) => selectors.length > 0 || isOfEstate(named));
  if (estate.length === 0) throw noneThere();
  return { hosts: estate, isPartial, selectors };
}

const isOfEstate = ({ host }: NamedHost): boolean =>
  host.sources.some((source) => source !== "ssh-config");

/**
 * Return the upgrade of this configuration that is gone on with, and those of its hosts that are there: one with hosts under way before a newer one,
 * as long as one of these is there. Throws `usage` where there is no upgrade, or none of its hosts.
 */
export async function pickUnfinished(context: Context): Promise<PickedUpgrade> {
  const runs = await listUnfinished(context.folders.state, context.configPath);
  for (const [index, last] of runs.entries()) {
    const { selectors } = last;
    const { hosts, isPartial } = await pickHosts(selectors, context, { isEarlier: true });
    const its = hosts.filter(({ label }) => last.hosts[label]);
    if (its.some(({ label }) => isUnderWay(last.hosts[label]?.state)))
      return { hosts: its, isPartial, selectors, last };
    if (index < runs.length - 1) continue;
    if (its.length === 0) throw noneThere();
    return { hosts: its, isPartial, selectors, last };
  }
  throw new OperatorError("usage", "there is no upgrade of this configuration to go on with", {
    next: "lcops fleet upgrade SELECTOR begins one",
  });
}

function noneThere(): OperatorError {
  return new OperatorError("usage", "no host of the estate is there to be upgraded", {
    next: "see lcops hosts, or name what is meant",
  });
}

/** Given hosts, ask each what an upgrade would do to it. One that another run has left under way is left out: a second job would stand beside the first. */
export async function planHosts(
  hosts: readonly NamedHost[],
  last: UpgradeRun | undefined,
  context: Context,
  how: Pick<GatherOptions, "atOnce" | "refreshes">,
): Promise<PlannedHost[]> {
  const underWay = await findUnderWay(context.folders.state, context.configPath);
  const progress = startProgress(context.terminal);
  let asked = 0;
  const draw = (): void => progress.update(`${asked} of ${hosts.length} hosts planned`);
  draw();
  const planned = await gatherPlans(hosts, {
    reach: await context.reach(),
    ...how,
    onPlan: () => {
      asked++;
      draw();
    },
  }).finally(progress.end);
  return planned.map((host) => leaveUnderWay(host, underWay.get(host.label), last));
}

/** Returns the plan of a host, blocked where another run has begun there. Pure. */
export function leaveUnderWay(
  host: PlannedHost,
  begunBy: Pick<UpgradeRun, "id"> | undefined,
  last: Pick<UpgradeRun, "id"> | undefined,
): PlannedHost {
  if (!begunBy || begunBy.id === last?.id || !("plan" in host)) return host;
  const blocked = `${begunBy.id} was begun there and may be under way; lcops fleet upgrade --resume follows it`;
  return { ...host, plan: { ...host.plan, blocked } };
}
