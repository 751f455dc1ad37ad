import type { PlannedHost } from "./gather-plans.ts";
import { planWaves, type Wave } from "./plan-waves.ts";
import {
  type HostProgress,
  isUnderWay,
  type UpgradeRun,
  type UpgradeState,
} from "./upgrade-state.ts";

/** An upgrade before anything is done: how each host stands, which have something to do, and in which order. */
export interface OpenedUpgrade {
  run: UpgradeRun;
  chosen: readonly PlannedHost[];
  /** Those of them that an earlier lcops has begun. */
  followed: readonly string[];
  waves: readonly Wave[];
}

export interface OpenOptions {
  /** The run that is gone on with, if any; it is changed. */
  last: UpgradeRun | undefined;
  /** Of a run that is begun. */
  selectors: readonly string[];
  configPath: string;
  /** Whether hosts that want a reboot get one. */
  reboots: boolean;
  isProduction: (environment: string | undefined) => boolean;
}

/**
 * Given the plans of hosts, return what is to be done to which of them, in waves, and the state of each in its run. What an earlier lcops has begun
 * may be away already: it is the first wave, however many it is, and no other host is begun beside it.
 */
export function openUpgrade(planned: readonly PlannedHost[], options: OpenOptions): OpenedUpgrade {
  const { last, reboots, isProduction } = options;
  const before = (label: string): HostProgress | undefined => last?.hosts[label];
  const chosen = planned.filter((host) => isChosen(host, before(host.label), reboots));
  const isFollowed = ({ label }: PlannedHost): boolean => isUnderWay(before(label)?.state);
  const followed = chosen.filter(isFollowed).map(({ label }) => label);
  // As long as none is known to be well, all that was begun are canaries.
  const isCanary = !Object.values(last?.hosts ?? {}).some(({ state }) => state === "done");
  const first = followed.length === 0 ? [] : [{ isCanary, hosts: followed }];
  const others = planWaves(
    chosen.flatMap((one) => {
      if (isFollowed(one)) return [];
      const { label, host } = one;
      return {
        label,
        isProduction: isProduction(host.environment),
        role: host.role,
        region: host.region,
        packages: "plan" in one ? one.plan.packages : [],
      };
    }),
  );
  const run = openRun(options, planned, chosen);
  return { run, chosen, followed, waves: [...first, ...others] };
}

/** Whether nothing is left to be done about a host. Pure. */
export const isGood = (state: UpgradeState): boolean => state === "done" || state === "unchanged";

/** What was begun and not seen to its end is followed, even where its plan is not known; what has failed is looked at again, though nothing may be left to upgrade. */
function isChosen(host: PlannedHost, before: HostProgress | undefined, reboots: boolean): boolean {
  if (isUnderWay(before?.state)) return true;
  if (!("plan" in host) || host.plan.blocked !== undefined) return false;
  if (before?.state === "failed" && before.attempt > 0) return true;
  return host.plan.packages.length > 0 || (reboots && host.plan.wantsReboot);
}

function openRun(
  { last, selectors, configPath }: OpenOptions,
  planned: readonly PlannedHost[],
  chosen: readonly PlannedHost[],
): UpgradeRun {
  const run: UpgradeRun = last ?? { id: "", configPath, selectors, hosts: {} };
  const failedUnits = { ...run.failedUnits };
  for (const host of planned) {
    const before = run.hosts[host.label];
    if ("plan" in host) failedUnits[host.label] ??= host.plan.failedUnits;
    if (chosen.includes(host)) {
      if (!isUnderWay(before?.state))
        run.hosts[host.label] = { state: "untried", attempt: before?.attempt ?? 0 };
      continue;
    }
    const attempt = before?.attempt ?? 0;
    const why = (reason: string): string =>
      attempt === 0 ? `not begun: ${reason}` : `not looked at again: ${reason}`;
    if ("unreached" in host)
      run.hosts[host.label] = {
        state: "failed",
        attempt,
        why: why(host.unreached),
        isUnreached: true,
      };
    else if (host.plan.blocked !== undefined)
      run.hosts[host.label] = { state: "failed", attempt, why: why(host.plan.blocked) };
    else if (before?.state !== "done") run.hosts[host.label] = { state: "unchanged", attempt };
  }
  run.failedUnits = failedUnits;
  const there = new Set(planned.map(({ label }) => label));
  for (const [label, before] of Object.entries(run.hosts))
    if (!there.has(label) && !isGood(before.state))
      run.hosts[label] = { ...before, why: "it is no longer in the inventory, or does not run" };
  return run;
}
