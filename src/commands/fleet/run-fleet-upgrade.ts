import { isGuarded } from "../../config/environments.ts";
import { readFleetSettings } from "../../fleet/fleet-settings.ts";
import { foldNames } from "../../fleet/fold-names.ts";
import { isGood, openUpgrade } from "../../fleet/open-upgrade.ts";
import { makeRunFolder } from "../../fleet/run-folder.ts";
import { type UpgradeRun, writeUpgrade } from "../../fleet/upgrade-state.ts";
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
import { describeObstacles, heedAlarms } from "./heed-alarms.ts";
import { pickEstate, type PickedUpgrade, pickUnfinished, planHosts } from "./plan-hosts.ts";
import { refuseLost, refuseObstacles } from "./refuse-upgrade.ts";

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
    return await upgrade(await pick(input, context), input.options["dryRun"] === true, context);
  } finally {
    await release();
  }
}

async function pick({ operands, options }: Input, context: Context): Promise<PickedUpgrade> {
  if (options["resume"] !== true) return pickEstate(operands, context);
  if (operands.length === 0) return pickUnfinished(context);
  throw new OperatorError("usage", "--resume goes on with the hosts of the last upgrade", {
    next: "leave the selectors away",
  });
}

async function upgrade(
  { hosts, isPartial, last, selectors }: PickedUpgrade,
  isDryRun: boolean,
  context: Context,
): Promise<number> {
  const config = await context.config();
  const settings = readFleetSettings(config);
  const isProduction = (environment: string | undefined): boolean => isGuarded(environment, config);
  const { atOnce, reboots } = settings;
  const planned = await planHosts(hosts, last, context, { atOnce, refreshes: !isDryRun });
  const { configPath } = context;
  const how = { last, selectors, configPath, reboots, isProduction };
  const { run, chosen, followed, waves } = openUpgrade(planned, how);
  if (waves.length === 0 && isDryRun) context.terminal.warn(`lcops: ${STALE_LISTS}`);
  if (waves.length === 0) return tell(run, isPartial, undefined, context);

  const askAlarms = await heedAlarms(chosen, context);
  const progress = startProgress(context.terminal);
  progress.update("asking CloudWatch");
  const alarms = await Promise.resolve(askAlarms?.(context.signal)).finally(progress.end);
  if (!isDryRun && followed.length === 0) refuseObstacles(alarms);
  const guarded = chosen.filter(({ host }) => isProduction(host.environment));
  const isAllowed = await context.gate(
    describeUpgrade(planned, waves, {
      followed,
      target: nameTarget(chosen, guarded),
      isProduction: guarded.length > 0,
      productionHosts: guarded.length,
      reboots,
      isFresh: !isDryRun,
      alarms,
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
  const { runtime: runtimeFolder } = context.folders;
  let early: string | undefined;
  try {
    const reach = await context.reach();
    const findObstacle = async (signal: AbortSignal): Promise<string | undefined> =>
      describeObstacles(await askAlarms?.(signal));
    const options = {
      chosen,
      waves,
      settings,
      config,
      runtimeFolder,
      findObstacle,
      reach,
      save,
    };
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

/** Given an upgrade that is over, tell how its hosts are, and return the exit code. */
export function tell(
  run: UpgradeRun,
  isPartial: boolean,
  early: string | undefined,
  { terminal }: Pick<Context, "terminal">,
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
