import { foldNames } from "../../fleet/fold-names.ts";
import type { PlannedHost } from "../../fleet/gather-plans.ts";
import type { HostPlan } from "../../fleet/read-host-plan.ts";
import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import type { Wave } from "../../fleet/plan-waves.ts";
import type { UpgradeRun, UpgradeState } from "../../fleet/upgrade-state.ts";
import type { ChangePlan } from "../../system/gate.ts";
import type { HeededAlarms } from "./heed-alarms.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";

/** Packages of a plan that are named one by one; the others are counted. */
const NAMED = 8;

export interface UpgradePlan extends ChangePlan {
  /** For scripts: what would be done to each host. */
  hosts: readonly object[];
  waves: readonly (readonly string[])[];
  alarms?: HeededAlarms;
}

export interface UpgradeWish {
  /** Hosts that an earlier lcops has begun. */
  followed: readonly string[];
  target: string;
  isProduction: boolean;
  productionHosts: number;
  reboots: boolean;
  /** Whether the plans are of lists of packages that were brought up to date for them. */
  isFresh: boolean;
  /** Undefined: none are named. */
  alarms: HeededAlarms | undefined;
}

export const STALE_LISTS =
  "by the lists of packages that the hosts have: a dry run does not ask for newer ones, an upgrade does";

/** Given the plans of the hosts and the waves, return what is about to be done: hosts with the same plan are one line. Pure. */
export function describeUpgrade(
  planned: readonly PlannedHost[],
  waves: readonly Wave[],
  wish: UpgradeWish,
): UpgradePlan {
  const groups = new Map<string, string[]>();
  for (const host of planned) {
    const text = describeHost(host, wish.reboots);
    groups.set(text, [...(groups.get(text) ?? []), host.label]);
  }
  const upgraded = waves.flatMap(({ hosts }) => hosts).length;
  const order = waves.map(
    ({ isCanary, hosts }) => `${isCanary ? "canary " : ""}${foldNames(hosts)}`,
  );
  const production =
    wish.productionHosts > 0 ? `, ${wish.productionHosts} of them in production` : "";
  return {
    title: `upgrade ${upgraded} of ${planned.length} hosts${production}`,
    lines: [
      ...[...groups].map(([text, labels]) => `${foldNames(labels)} (${labels.length}): ${text}`),
      ...(wish.followed.length > 0
        ? [`followed, since it was begun before: ${foldNames(wish.followed)}`]
        : []),
      `in this order: ${order.join("; ")}`,
      ...(wish.alarms ? describeAlarms(wish.alarms) : []),
      ...(wish.isFresh ? [] : [STALE_LISTS]),
    ],
    target: wish.target,
    danger: "destroys",
    isProduction: wish.isProduction,
    hosts: planned.map((host) => ({
      host: host.label,
      ...("plan" in host ? host.plan : { unreached: host.unreached }),
    })),
    waves: waves.map(({ hosts }) => hosts),
    ...(wish.alarms && { alarms: wish.alarms }),
  };
}

function describeAlarms({ ok, obstacles }: HeededAlarms): string[] {
  if (obstacles.length > 0)
    return obstacles.map((obstacle) => `no further host is begun, since ${obstacle}`);
  const more = ok.length > NAMED ? `, and ${ok.length - NAMED} more` : "";
  return [
    `alarms that must say OK before each batch, and do: ${ok.slice(0, NAMED).join(", ")}${more}`,
  ];
}

/** Given what is upgraded, and what of it is production, return what is typed to confirm it: the host's name where it is one, else the environments. Pure. */
export function nameTarget(chosen: readonly NamedHost[], guarded: readonly NamedHost[]): string {
  const [only] = chosen;
  if (chosen.length === 1 && only) return only.label;
  const from = guarded.length > 0 ? guarded : chosen;
  return [...new Set(from.map(({ host }) => host.environment ?? "unmarked"))].toSorted().join("+");
}

function describeHost(host: PlannedHost, reboots: boolean): string {
  if ("unreached" in host) return `not reached: ${host.unreached}`;
  const { plan } = host;
  if (plan.blocked !== undefined) return `left out: ${plan.blocked}`;
  return [describePackages(plan), ...describeState(plan, reboots)].join("; ");
}

function describePackages({ packages }: HostPlan): string {
  if (packages.length === 0) return "nothing to upgrade";
  const names = packages.map((line) => line.split(" ")[0] ?? "");
  const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
  return `${countOf(names.length, "package")}: ${names.slice(0, NAMED).join(", ")}${more}`;
}

function describeState(plan: HostPlan, reboots: boolean): string[] {
  const { held, locks, wantsReboot, freeKb, packages } = plan;
  const free = Object.entries(freeKb).map(
    // Rounded, so that hosts that differ in a few bytes are one line.
    ([folder, kb]) => `${folder} ${describeBytes(Math.floor(kb / 1e6) * 1e9 || kb * 1000)}`,
  );
  return [
    ...(packages.length > 0 && free.length > 0 ? [`free: ${free.join(", ")}`] : []),
    ...(held.length > 0 ? [`held: ${held.join(", ")}`] : []),
    ...(locks.length > 0 ? [`${locks.join(", ")} holds the lock, and is waited for`] : []),
    ...(wantsReboot ? [reboots ? "reboots" : "wants a reboot, which it does not get"] : []),
  ];
}

const STATES: readonly UpgradeState[] = [
  "done",
  "unchanged",
  "failed",
  "unknown",
  "begun",
  "untried",
];
const WORDS: Readonly<Record<UpgradeState, string>> = {
  done: "done",
  unchanged: "unchanged",
  failed: "failed",
  unknown: "unknown",
  begun: "under way",
  untried: "never tried",
};

/** Given a run, return how its hosts stand, a line for each state and reason. Pure. */
export function describeHosts({ hosts }: UpgradeRun): string[] {
  return STATES.flatMap((state) => {
    const groups = new Map<string, string[]>();
    for (const [host, { state: its, why, note }] of Object.entries(hosts)) {
      if (its !== state) continue;
      const text = [why, note].filter((part) => part !== undefined).join("; ");
      groups.set(text, [...(groups.get(text) ?? []), host]);
    }
    return [...groups].map(
      ([text, labels]) =>
        `${WORDS[state]}: ${foldNames(labels)} (${labels.length})${text === "" ? "" : `: ${text}`}`,
    );
  });
}

/** Given a run, return its counts, `18 done, 1 failed, 1 never tried`. Pure. */
export function describeCounts({ hosts }: UpgradeRun): string {
  const all = Object.values(hosts);
  return STATES.map((state) => [state, all.filter((host) => host.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${WORDS[state]}`)
    .join(", ");
}
