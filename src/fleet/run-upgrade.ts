import { countOf } from "../system/quantities.ts";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { Wave } from "./plan-waves.ts";
import { type HostProgress, isUnderWay, type UpgradeRun } from "./upgrade-state.ts";
import type { UpgradedHost } from "./upgrade-host.ts";

export interface RunUpgradeOptions {
  waves: readonly Wave[];
  /** Hosts at the same time, of a wave that has more. */
  atOnce: number;
  /** Hosts that may be lost before no further one is begun; of the canaries none. */
  maxFailures: number;
  soakMs: number;
  /** Upgrades one host, under the given name of its job. */
  upgrade: (host: string, job: string) => Promise<UpgradedHost>;
  /** What is no longer well on hosts that were upgraded, by host. */
  findIll: (hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Why no further host may be begun, whatever became of those before: an alarm. Asked before each wave; undefined: nothing is in the way. */
  findObstacle: (signal: AbortSignal) => Promise<string | undefined>;
  /** Has the run on the disk. */
  save: () => Promise<void>;
  /** Begin no further host; what is under way ends. */
  isStopping: () => boolean;
  /** Leave at once. */
  signal: AbortSignal;
  onWave: (wave: Wave) => void;
  /** Hosts are left to work. */
  onSoak: (hosts: readonly string[]) => void;
  onHost: (host: string, progress: HostProgress) => void;
}

/**
 * Given a run and its waves, upgrade wave after wave, each host's state on the disk before and after. Behind each wave but the last its hosts are left to
 * work; then they are asked how they are, twice where something is not well, and only then they are done, also for whoever goes on with a run that was killed before. It ends
 * early where a canary is not well, more hosts of the whole run than may be are failed, unreachable or unknown, or something stands in the way before a
 * wave of which not all was begun before; what is under way, also since an earlier lcops, is never cut short. Returns why it has ended early, undefined
 * where it has not.
 */
export async function runUpgrade(
  run: UpgradeRun,
  options: RunUpgradeOptions,
): Promise<string | undefined> {
  const { maxFailures, save, signal } = options;
  const set = async (host: string, progress: HostProgress): Promise<void> => {
    run.hosts[host] = progress;
    await save();
    options.onHost(host, progress);
  };
  const limit = pLimit(options.atOnce);
  const waiting = new Set(options.waves.flatMap(({ hosts }) => hosts));
  const findReason = (wave: Wave): string | undefined => {
    // One that was left out by its plan was not lost: nothing was done to it. Nor is one that was unknown before and is looked at later.
    const isLost = (host: string): boolean => {
      if (waiting.has(host)) return false;
      const how = run.hosts[host];
      if (how?.state === "unknown") return true;
      return how?.state === "failed" && (how.attempt > 0 || how.isUnreached === true);
    };
    const lost = Object.keys(run.hosts).filter(isLost);
    const canary = wave.isCanary ? wave.hosts.find(isLost) : undefined;
    if (canary !== undefined) return `the canary ${canary} is not well`;
    if (lost.length > maxFailures)
      return `${countOf(lost.length, "host is", "hosts are")} lost, and ${maxFailures} may be`;
    return options.isStopping() ? "it was asked to stop" : undefined;
  };
  for (const [index, wave] of options.waves.entries()) {
    if (!wave.hosts.every((host) => isUnderWay(run.hosts[host]?.state))) {
      const obstacle = await options.findObstacle(signal);
      if (obstacle !== undefined) return obstacle;
    }
    options.onWave(wave);
    const upgraded = new Map<string, HostProgress>();
    // Whatever fails here, a full disk: those that are under way are followed to their end.
    const ended = await Promise.allSettled(
      wave.hosts.map((host) =>
        limit(async () => {
          signal.throwIfAborted();
          const before = run.hosts[host];
          const wasBegun = isUnderWay(before?.state);
          if (!wasBegun && findReason(wave) !== undefined) return;
          waiting.delete(host);
          // One that was begun, as far as is known, is found again under its name, and not begun twice.
          const attempt = (before?.attempt ?? 0) + (wasBegun ? 0 : 1);
          await set(host, { state: "begun", attempt });
          const result = { ...(await options.upgrade(host, `${run.id}-${attempt}`)), attempt };
          // Who has left has seen nothing: it is followed again by --resume.
          if (signal.aborted) await set(host, { ...result, state: "begun" });
          else if (result.state === "done") upgraded.set(host, result);
          else await set(host, result);
        }),
      ),
    );
    signal.throwIfAborted();
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    const isLast = index === options.waves.length - 1 || findReason(wave) !== undefined;
    const ill = await findIll([...upgraded.keys()], isLast, options);
    for (const [host, progress] of upgraded) {
      const why = ill.get(host);
      await set(host, why === undefined ? progress : { ...progress, state: "failed", why });
    }
    const reason = findReason(wave);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Leaves hosts to work before others follow, and asks them. What has just been restarted may take a while: a wrong alarm would end it all. */
async function findIll(
  hosts: readonly string[],
  isLast: boolean,
  { soakMs, signal, ...options }: RunUpgradeOptions,
): Promise<ReadonlyMap<string, string>> {
  const soak = async (): Promise<void> => {
    options.onSoak(hosts);
    await sleep(soakMs, undefined, { signal });
  };
  if (hosts.length > 0 && !isLast) await soak();
  const ill = await options.findIll(hosts);
  if (ill.size === 0) return ill;
  await soak();
  return options.findIll([...ill.keys()]);
}
