import { isGuarded } from "../../config/is-guarded.ts";
import type { Config } from "../../config/schema.ts";
import type { PlannedHost } from "../../fleet/gather-plans.ts";
import type { WaveHost } from "../../fleet/plan-waves.ts";
import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import type { HostProgress, UpgradeRun, UpgradeState } from "../../fleet/upgrade-state.ts";

/** Whether nothing is left to be done about a host. Pure. */
export const isGood = (state: UpgradeState): boolean => state === "done" || state === "unchanged";

/** Whether there is something to do on a host. Pure. */
export function isWork(
  {
    packages,
    blocked,
    wantsReboot,
  }: { packages: readonly string[]; blocked?: string; wantsReboot: boolean },
  reboots: boolean,
): boolean {
  return blocked === undefined && (packages.length > 0 || (reboots && wantsReboot));
}

/** Whether a host was begun before and is not well, as far as is known: it is looked at again, though nothing may be left to upgrade. Pure. */
export const isOpen = (before: HostProgress | undefined): boolean =>
  before?.state === "begun" ||
  before?.state === "unknown" ||
  (before?.state === "failed" && before.attempt > 0);

/** Given a planned host, return what of it says when its turn comes. Pure. */
export function describeForOrder(host: PlannedHost, config: Config): WaveHost {
  return {
    label: host.label,
    isProduction: isGuarded(host.host.environment, config),
    role: host.host.role,
    region: host.host.region,
    packages: "plan" in host ? host.plan.packages : [],
  };
}

/** What is typed to confirm it: the host's name where it is one, else the environments that are guarded. */
export function nameTarget(chosen: readonly NamedHost[], guarded: readonly NamedHost[]): string {
  const [only] = chosen;
  if (chosen.length === 1 && only) return only.label;
  const from = guarded.length > 0 ? guarded : chosen;
  return [...new Set(from.map(({ host }) => host.environment ?? "unmarked"))].toSorted().join("+");
}

/** Given hosts, return their names in the configuration. Pure. */
export const namesOf = (hosts: readonly NamedHost[]): string[] =>
  hosts.map(({ host }) => host.name);

/** Given the run that is gone on with, if any, and what is planned, return the run with the state of each host before anything is done. */
export function openRun(
  last: UpgradeRun | undefined,
  selectors: readonly string[],
  planned: readonly PlannedHost[],
  chosen: readonly PlannedHost[],
): UpgradeRun {
  const run: UpgradeRun = last ?? { id: "", selectors, hosts: {} };
  const failedUnits = { ...run.failedUnits };
  for (const host of planned) {
    const before = run.hosts[host.label];
    if ("plan" in host) failedUnits[host.label] ??= host.plan.failedUnits;
    if (chosen.includes(host)) {
      if (before?.state !== "begun" && before?.state !== "unknown")
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
      run.hosts[label] = { ...before, why: "it is no longer in the inventory" };
  return run;
}
