import { isGuarded } from "../../config/is-guarded.ts";
import { askServices, type SilentService } from "../../fleet/ask-services.ts";
import { foldNames } from "../../fleet/fold-names.ts";
import { gatherPlans, type PlannedHost } from "../../fleet/gather-plans.ts";
import { planWaves, type Wave } from "../../fleet/plan-waves.ts";
import { makeRunFolder } from "../../fleet/run-folder.ts";
import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import { runUpgrade } from "../../fleet/run-upgrade.ts";
import { upgradeHost } from "../../fleet/upgrade-host.ts";
import { readLastUpgrade, type UpgradeRun, writeUpgrade } from "../../fleet/upgrade-state.ts";
import { OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { describeCounts, describeHosts, describeUpgrade } from "./describe-upgrade.ts";
import {
  describeForOrder,
  isGood,
  isOpen,
  isWork,
  nameTarget,
  namesOf,
  openRun,
} from "./open-upgrade.ts";
import { pickHosts } from "./pick-hosts.ts";

const [AT_ONCE, MAX_FAILURES, SOAK_SECONDS, UPGRADE_MINUTES] = [20, 1, 30, 60];

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
    return await upgrade(last, last?.selectors ?? input.operands, context);
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
  context: Context,
): Promise<number> {
  const { terminal, signal } = context;
  const config = await context.config();
  const fleet = config.fleet ?? {};
  const picked = await pickHosts(selectors, context);
  // `uu` is every host of the estate, and what else ~/.ssh/config knows is none of it.
  const estate = picked.hosts.filter(
    ({ host }) => selectors.length > 0 || host.sources.some((source) => source !== "ssh-config"),
  );
  if (estate.length === 0) {
    throw new OperatorError("usage", "no host of the estate is there to be upgraded", {
      next: "see lcops hosts, or name what is meant",
    });
  }
  const hosts = last ? estate.filter(({ label }) => last.hosts[label]) : estate;
  const reach = await context.reach();
  const planned = await plan(hosts, context, fleet.atOnce ?? AT_ONCE);
  const reboots = fleet.reboot === true;
  const chosen = planned.filter((host) => {
    const before = last?.hosts[host.label];
    if (before?.state === "begun" || before?.state === "unknown") return true;
    if (!("plan" in host) || host.plan.blocked !== undefined) return false;
    return isOpen(before) || isWork(host.plan, reboots);
  });
  const waves = planWaves(chosen.map((host) => describeForOrder(host, config)));
  const run = openRun(last, selectors, planned, chosen);
  if (waves.length === 0) return tell(run, picked.isPartial, undefined, context);

  const guarded = chosen.filter(({ host }) => isGuarded(host.environment, config));
  const maxFailures = fleet.maxFailures ?? MAX_FAILURES;
  const isAllowed = await context.gate(
    describeUpgrade(planned, waves, {
      target: nameTarget(chosen, guarded),
      isProduction: guarded.length > 0,
      productionHosts: guarded.length,
      reboots,
    }),
  );
  if (!isAllowed) return picked.isPartial ? 3 : 0;
  const unreached = planned.filter((host) => "unreached" in host);
  if (unreached.length > maxFailures) {
    throw new OperatorError(
      "refused",
      `${unreached.length} hosts are not reached, and ${maxFailures} may be lost; nothing was done`,
      {
        next: "mend them, leave them out, or raise fleet.maxFailures",
        details: unreached.flatMap((host) => ("unreached" in host ? [host.unreached] : [])),
      },
    );
  }
  if (!last) run.id = (await makeRunFolder(context.folders.state, "upgrade")).id;
  delete run.endedAt;
  const save = (): Promise<void> => writeUpgrade(context.folders.state, run);
  await save();
  const record = await context.journal({
    change: `upgrade ${foldNames(chosen.map(({ label }) => label))} (${run.id})`,
  });
  run.silentServices ??= (
    await askServices(namesOf(chosen), config.services, context.folders.runtime, reach)
  ).map(({ name }) => name);
  await save();
  const silentBefore = new Set(run.silentServices);
  const progress = startProgress(terminal);
  const steps = new Map<string, string>();
  const draw = (): void =>
    progress.update(
      printable([...steps].map(([host, step]) => `${host}: ${step}`).join("  ") || "waits"),
    );
  const event = (value: object): void => {
    if (terminal.flags.json) terminal.printEvent(value);
  };
  event({ event: "begin", run: run.id, waves: waves.map((wave) => wave.hosts) });
  let isStopping = false;
  let early: string | undefined;
  const leave = new AbortController();
  const ending = AbortSignal.any([signal, leave.signal]);
  try {
    // The first Ctrl-C begins no further host, the second leaves.
    await context.leaveSigintTo(
      async () => {
        early = await runUpgrade(run, {
          waves,
          maxFailures,
          soakMs: (fleet.soakSeconds ?? SOAK_SECONDS) * 1000,
          save,
          signal: ending,
          isStopping: () => isStopping,
          upgrade: (label, job) => {
            const host = planned.find((one) => one.label === label);
            if (!host) throw new Error(`${label} is planned`);
            return upgradeHost(host, {
              reach: { ...reach, signal: ending },
              job,
              reboots,
              patienceMs: (fleet.upgradeMinutes ?? UPGRADE_MINUTES) * 60_000,
              failedUnits: run.failedUnits?.[label] ?? [],
              signal: ending,
              onStep: (step) => {
                steps.set(label, step);
                draw();
              },
            });
          },
          findIll: (labels) =>
            findIll(labels, planned, (names) =>
              askServices(names, config.services, context.folders.runtime, {
                ...reach,
                signal: ending,
              }).then((silent) => silent.filter(({ name }) => !silentBefore.has(name))),
            ),
          onWave: (wave: Wave) => event({ event: "wave", ...wave }),
          onHost: (host, how) => {
            if (how.state !== "begun") steps.delete(host);
            event({ event: "host", host, ...how });
          },
        });
      },
      () => {
        if (isStopping) leave.abort(new OperatorError("cancelled", "left"));
        isStopping = true;
        terminal.warn("no further host is begun; Ctrl-C again leaves, and what is begun goes on");
      },
    );
    run.endedAt = new Date().toISOString();
    await save();
  } catch (error) {
    progress.end();
    await record.end({ state: "unknown", detail: `${describeCounts(run)} (${run.id})` });
    if (ending.aborted)
      terminal.warn(
        `lcops: ${describeCounts(run)}; what is begun goes on there; lcops fleet upgrade --resume finds it again`,
      );
    throw error;
  } finally {
    progress.end();
  }
  const counts = describeCounts(run);
  const isWell = Object.values(run.hosts).every(({ state }) => isGood(state));
  const isUnknown = Object.values(run.hosts).some(({ state }) => state === "unknown");
  await record.end({
    state: isWell ? "done" : isUnknown ? "unknown" : "failed",
    detail: `${counts} (${run.id})`,
  });
  return tell(run, picked.isPartial, early, context);
}

async function plan(
  hosts: readonly NamedHost[],
  context: Context,
  atOnce: number,
): Promise<PlannedHost[]> {
  const progress = startProgress(context.terminal);
  let asked = 0;
  const draw = (): void => progress.update(`${asked} of ${hosts.length} hosts planned`);
  draw();
  return gatherPlans(hosts, {
    reach: await context.reach(),
    atOnce,
    signal: context.signal,
    onPlan: () => {
      asked++;
      draw();
    },
  }).finally(progress.end);
}

async function findIll(
  labels: readonly string[],
  planned: readonly PlannedHost[],
  findSilent: (names: readonly string[]) => Promise<readonly SilentService[]>,
): Promise<Map<string, string>> {
  const ill = new Map<string, string>();
  for (const label of labels) {
    const host = planned.find((one) => one.label === label);
    if (!host) continue;
    const news = await findSilent([host.host.name]);
    if (news.length > 0)
      ill.set(
        label,
        `upgraded, but no longer answering: ${news.map(({ name, why }) => `${name} (${why})`).join(", ")}`,
      );
  }
  return ill;
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
