import { isGuarded } from "../../config/is-guarded.ts";
import { readFleetSettings } from "../../fleet/fleet-settings.ts";
import { foldNames } from "../../fleet/fold-names.ts";
import { gatherPlans, type GatherOptions, type PlannedHost } from "../../fleet/gather-plans.ts";
import { isGood, openUpgrade } from "../../fleet/open-upgrade.ts";
import { makeRunFolder } from "../../fleet/run-folder.ts";
import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import { readLastUpgrade, type UpgradeRun, writeUpgrade } from "../../fleet/upgrade-state.ts";
import { OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { tellPeople } from "../tell-people.ts";
import {
  describeCounts,
  describeHosts,
  describeUpgrade,
  nameTarget,
  STALE_LISTS,
} from "./describe-upgrade.ts";
import { followUpgrade } from "./follow-upgrade.ts";
import { type PickedHosts, pickHosts } from "./pick-hosts.ts";

/** Given what was typed, do what `lcops fleet upgrade` says and return the exit code. */
export async function runFleetUpgrade(input: Input, context: Context): Promise<number> {
  const { state } = context.folders;
  const release = await takeKernelLock(`${state}/fleet/upgrade.lock`);
  if (!release) {
    throw new OperatorError("locked", "another upgrade of the fleet is under way", {
      next: "wait for it",
    });
  }
  try {
    const last =
      input.options["resume"] === true ? await findUnfinished(input, context) : undefined;
    const isDryRun = input.options["dryRun"] === true;
    return await upgrade(last, last?.selectors ?? input.operands, isDryRun, context);
  } finally {
    await release();
  }
}

async function findUnfinished(input: Input, context: Context): Promise<UpgradeRun> {
  if (input.operands.length > 0) {
    throw new OperatorError("usage", "--resume goes on with the hosts of the last upgrade", {
      next: "leave the selectors away",
    });
  }
  const last = await readLastUpgrade(context.folders.state);
  if (last) return last;
  throw new OperatorError("usage", "there is no upgrade to go on with", {
    next: "lcops fleet upgrade SELECTOR begins one",
  });
}

async function upgrade(
  last: UpgradeRun | undefined,
  selectors: readonly string[],
  isDryRun: boolean,
  context: Context,
): Promise<number> {
  const config = await context.config();
  const settings = readFleetSettings(config);
  const isProduction = (environment: string | undefined): boolean => isGuarded(environment, config);
  const { hosts, isPartial } = await pickEstate(selectors, last, context);
  const planned = await plan(hosts, context, { atOnce: settings.atOnce, refreshes: !isDryRun });
  const { reboots } = settings;
  const { run, chosen, waves } = openUpgrade(planned, { last, selectors, reboots, isProduction });
  if (waves.length === 0 && isDryRun) context.terminal.warn(`lcops: ${STALE_LISTS}`);
  if (waves.length === 0) return tell(run, isPartial, undefined, context);

  const guarded = chosen.filter(({ host }) => isProduction(host.environment));
  const isAllowed = await context.gate(
    describeUpgrade(planned, waves, {
      target: nameTarget(chosen, guarded),
      isProduction: guarded.length > 0,
      productionHosts: guarded.length,
      reboots,
      isFresh: !isDryRun,
    }),
  );
  if (!isAllowed) return isPartial ? 3 : 0;
  refuseLost(planned, settings.maxFailures);
  if (!last) run.id = (await makeRunFolder(context.folders.state, "upgrade")).id;
  delete run.endedAt;
  const save = (): Promise<void> => writeUpgrade(context.folders.state, run);
  await save();
  const record = await context.journal({
    change: `upgrade ${foldNames(chosen.map(({ label }) => label))} (${run.id})`,
  });
  const end = (state: "done" | "failed" | "unknown"): Promise<void> =>
    record.end({ state, detail: `${describeCounts(run)} (${run.id})` });
  const { services } = config;
  const { runtime: runtimeFolder } = context.folders;
  let early: string | undefined;
  try {
    const reach = await context.reach();
    const options = { chosen, waves, settings, services, runtimeFolder, reach, save };
    early = await followUpgrade(run, options, context);
    run.endedAt = new Date().toISOString();
    await save();
  } catch (error) {
    await end("unknown");
    throw error;
  }
  const states = Object.values(run.hosts).map(({ state }) => state);
  const isAll = states.every(isGood);
  await end(isAll ? "done" : states.includes("unknown") ? "unknown" : "failed");
  const code = tell(run, isPartial, early, context);
  await tellPeople(
    config.fleet?.notify ?? [],
    {
      event: "fleet upgrade",
      text: `fleet upgrade of ${foldNames(chosen.map(({ label }) => label))}: ${early === undefined ? "" : `it ended early, since ${early}: `}${describeCounts(run)}`,
      run: run.id,
      states: Object.fromEntries(
        Object.entries(run.hosts).map(([host, { state }]) => [host, state]),
      ),
      about: "fleet upgrade",
      level: isAll ? "ok" : states.includes("done") ? "warn" : "fail",
    },
    context,
  );
  return code;
}

/** `uu` is every host of the estate, and what else ~/.ssh/config knows is none of it. A run that is gone on with keeps its hosts. */
async function pickEstate(
  selectors: readonly string[],
  last: UpgradeRun | undefined,
  context: Context,
): Promise<PickedHosts> {
  const { hosts, isPartial } = await pickHosts(selectors, context, {
    isEarlier: last !== undefined,
  });
  const estate = hosts.filter(
    ({ host, label }) =>
      (last === undefined || last.hosts[label]) &&
      (selectors.length > 0 || host.sources.some((source) => source !== "ssh-config")),
  );
  if (estate.length > 0) return { hosts: estate, isPartial };
  throw new OperatorError("usage", "no host of the estate is there to be upgraded", {
    next: "see lcops hosts, or name what is meant",
  });
}

function refuseLost(planned: readonly PlannedHost[], maxFailures: number): void {
  const unreached = planned.flatMap((host) => ("unreached" in host ? [host.unreached] : []));
  if (unreached.length <= maxFailures) return;
  throw new OperatorError(
    "refused",
    `${unreached.length} hosts are not reached, and ${maxFailures} may be lost; nothing was done`,
    {
      next: "mend them, leave them out, or raise fleet.maxFailures",
      details: unreached,
    },
  );
}

async function plan(
  hosts: readonly NamedHost[],
  context: Context,
  how: Pick<GatherOptions, "atOnce" | "refreshes">,
): Promise<PlannedHost[]> {
  const progress = startProgress(context.terminal);
  let asked = 0;
  const draw = (): void => progress.update(`${asked} of ${hosts.length} hosts planned`);
  draw();
  return gatherPlans(hosts, {
    reach: await context.reach(),
    ...how,
    onPlan: () => {
      asked++;
      draw();
    },
  }).finally(progress.end);
}

function tell(
  run: UpgradeRun,
  isPartial: boolean,
  early: string | undefined,
  { terminal }: Context,
): number {
  const states = Object.values(run.hosts).map(({ state }) => state);
  const isAll = states.every(isGood);
  if (terminal.flags.json) terminal.printEvent({ event: "end", early: early ?? null, ...run });
  else if (!isAll || terminal.isScreen)
    for (const line of describeHosts(run)) terminal.print(printable(line));
  if (!isAll) {
    const next =
      run.id === ""
        ? "nothing was begun; mend what stands in the way"
        : "mend what has failed, then lcops fleet upgrade --resume";
    const why = early === undefined ? "" : `it ended early, since ${early}: `;
    terminal.warn(printable(`lcops: ${why}${describeCounts(run)}; ${next}`));
    return states.includes("done") ? 3 : 1;
  }
  terminal.note(describeCounts(run));
  return isPartial ? 3 : 0;
}
