import type { Config } from "../config/schema.ts";
import type { ReachOptions } from "../reach/connect-host.ts";
import { askServices, servicesOn } from "./ask-services.ts";
import type { FleetSettings } from "./fleet-settings.ts";
import type { PlannedHost } from "./gather-plans.ts";
import { paceJumps } from "./pace-jumps.ts";
import type { Wave } from "./plan-waves.ts";
import { runUpgrade } from "./run-upgrade.ts";
import { upgradeHost } from "./upgrade-host.ts";
import type { HostProgress, UpgradeRun } from "./upgrade-state.ts";

export interface UpgradeFleetOptions {
  /** The hosts on which there is something to do. */
  chosen: readonly PlannedHost[];
  waves: readonly Wave[];
  settings: FleetSettings;
  /** Its services on the hosts must be as well afterwards as before. */
  config: Config;
  runtimeFolder: string;
  /** Why no further host may be begun, whatever became of those before. */
  findObstacle: (signal: AbortSignal) => Promise<string | undefined>;
  /** Its signal leaves at once: what was begun goes on there. */
  reach: ReachOptions;
  /** Begin no further host; what is under way ends. */
  isStopping: () => boolean;
  /** Has the run on the disk. */
  save: () => Promise<void>;
  onWave: (wave: Wave) => void;
  onHost: (host: string, progress: HostProgress) => void;
  onStep: (host: string, step: string) => void;
}

/**
 * Given an upgrade that is opened, do it: never more hosts at once, nor more logins through one jump host, than may be. Returns why it has ended early,
 * undefined where it has not. Throws the signal's reason, and errors of the own disk.
 */
export async function upgradeFleet(
  run: UpgradeRun,
  options: UpgradeFleetOptions,
): Promise<string | undefined> {
  const { chosen, waves, settings, config, save } = options;
  const { atOnce, maxFailures, soakMs, patienceMs, reboots } = settings;
  const reach = paceJumps(options.reach);
  const byLabel = new Map(chosen.map((host) => [host.label, host]));
  const find = (label: string): PlannedHost => {
    const host = byLabel.get(label);
    if (!host) throw new Error(`${label} is planned`);
    return host;
  };
  const servicesOf = (labels: readonly string[]) =>
    servicesOn(
      labels.map((label) => find(label).host.name),
      config.services,
    );
  const ask = { config, reach, runtimeFolder: options.runtimeFolder, atOnce };
  if (!run.illServices) {
    const ill = await askServices(servicesOf([...byLabel.keys()]), ask);
    run.illServices = ill.map(({ name }) => name);
    await save();
  }
  const illBefore = new Set(run.illServices);
  return runUpgrade(run, {
    waves,
    atOnce,
    maxFailures,
    soakMs,
    save,
    signal: reach.signal,
    isStopping: options.isStopping,
    findObstacle: options.findObstacle,
    upgrade: (label, job) =>
      upgradeHost(find(label), {
        reach,
        job,
        reboots,
        patienceMs,
        failedUnits: run.failedUnits?.[label] ?? [],
        signal: reach.signal,
        onStep: (step) => options.onStep(label, step),
      }),
    findIll: async (labels) => {
      const all = await askServices(servicesOf(labels), ask);
      const ill = all.filter(({ name }) => !illBefore.has(name));
      return new Map(
        labels.flatMap((label) => {
          const its = ill.filter(({ host }) => host === find(label).host.name);
          if (its.length === 0) return [];
          const names = its.map(({ name, why }) => `${name} (${why})`).join(", ");
          return [[label, `upgraded, but no longer well: ${names}`]];
        }),
      );
    },
    onWave: options.onWave,
    onSoak: (labels) => labels.forEach((label) => options.onStep(label, "is left to work")),
    onHost: options.onHost,
  });
}
