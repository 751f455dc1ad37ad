import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { errorCode, OperatorError } from "../system/errors.ts";
import { listRunIds } from "./run-folder.ts";

/**
 * How far a host has come. `begun`: its job was asked for, and may run; `unknown`: nobody has seen its end; `failed`: it, or what was looked at
 * after it, is not well; `untried`: its turn has not come.
 */
export type UpgradeState = "untried" | "begun" | "done" | "unchanged" | "failed" | "unknown";

export interface HostProgress {
  state: UpgradeState;
  /** How often a job was begun there: each has a name of its own. */
  attempt: number;
  why?: string;
  /** Worth a line beside the state: a reboot that is still wanted. */
  note?: string;
  /** It was not begun, since nobody could reach it. */
  isUnreached?: true;
}

/** Given the state of a host, return whether its job may run there: nobody has seen its end. Pure. */
export const isUnderWay = (state: UpgradeState | undefined): boolean =>
  state === "begun" || state === "unknown";

/** One upgrade of many hosts, as it stands on the disk before anything is done to a host. */
export interface UpgradeRun {
  id: string;
  /** Absent in records of the first versions. */
  configPath?: string;
  selectors: readonly string[];
  hosts: Record<string, HostProgress>;
  /** What was broken before anything was done, by host: what has failed since is told from it, however often the run is gone on with. */
  failedUnits?: Record<string, readonly string[]>;
  /** Services, and what a Monit watches, that were not well then. */
  illServices?: readonly string[];
  /** ISO 8601; absent: it is under way, or lcops was killed. */
  endedAt?: string;
}

const pathOf = (stateFolder: string, id: string): string =>
  join(stateFolder, "fleet", id, "state.json");

/** Given a run, put it on the disk. */
export async function writeUpgrade(stateFolder: string, run: UpgradeRun): Promise<void> {
  await writeFileAtomically(pathOf(stateFolder, run.id), `${JSON.stringify(run, null, 2)}\n`);
}

/** Given the state folder and a configuration, read its upgrades, the newest first. Throws `failed` where a record cannot be read. */
async function* readUpgrades(stateFolder: string, configPath: string): AsyncGenerator<UpgradeRun> {
  for (const id of (await listRunIds(stateFolder, "upgrade")).toReversed()) {
    const path = pathOf(stateFolder, id);
    try {
      const run = JSON.parse(await readFile(path, "utf8")) as UpgradeRun;
      // Hosts of one name are other machines in another configuration.
      if (run.configPath === undefined || run.configPath === configPath) yield run;
    } catch (error) {
      // It ended before it had one, and before it touched a host.
      if (errorCode(error) === "ENOENT") continue;
      throw new OperatorError("failed", `the record of an upgrade, ${path}, cannot be read`, {
        next: "look at it, and move it away; the hosts keep theirs in ~/.local/state/lcops",
        cause: error,
      });
    }
  }
}

/** Given the state folder and a configuration, return by host in which of its upgrades it was left under way, where none has begun it since. */
export async function findUnderWay(
  stateFolder: string,
  configPath: string,
): Promise<Map<string, UpgradeRun>> {
  const newest = new Map<string, UpgradeRun>();
  for await (const run of readUpgrades(stateFolder, configPath))
    for (const [label, { attempt }] of Object.entries(run.hosts))
      if (attempt > 0 && !newest.has(label)) newest.set(label, run);
  return new Map([...newest].filter(([label, run]) => isUnderWay(run.hosts[label]?.state)));
}

/**
 * Given the state folder and a configuration, return its upgrades that may be gone on with, the one that should be first: those with hosts under way,
 * the newest first, and last the newest of all.
 */
export async function listUnfinished(
  stateFolder: string,
  configPath: string,
): Promise<UpgradeRun[]> {
  const left = await findUnderWay(stateFolder, configPath);
  const underWay = [...new Set(left.values())].toSorted((one, other) =>
    one.id < other.id ? 1 : -1,
  );
  for await (const newest of readUpgrades(stateFolder, configPath)) return [...underWay, newest];
  return [];
}
