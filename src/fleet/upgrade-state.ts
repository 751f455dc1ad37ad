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
  selectors: readonly string[];
  hosts: Record<string, HostProgress>;
  /** What was broken before anything was done, by host: what has failed since is told from it, however often the run is gone on with. */
  failedUnits?: Record<string, readonly string[]>;
  /** Services that did not answer then. */
  silentServices?: readonly string[];
  /** ISO 8601; absent: it is under way, or lcops was killed. */
  endedAt?: string;
}

const pathOf = (stateFolder: string, id: string): string =>
  join(stateFolder, "fleet", id, "state.json");

/** Given a run, put it on the disk. */
export async function writeUpgrade(stateFolder: string, run: UpgradeRun): Promise<void> {
  await writeFileAtomically(pathOf(stateFolder, run.id), `${JSON.stringify(run, null, 2)}\n`);
}

/** Given the state folder, return the newest upgrade; undefined where there was none. Throws `failed` where its record cannot be read. */
export async function readLastUpgrade(stateFolder: string): Promise<UpgradeRun | undefined> {
  for (const id of (await listRunIds(stateFolder, "upgrade")).toReversed()) {
    const path = pathOf(stateFolder, id);
    try {
      return JSON.parse(await readFile(path, "utf8")) as UpgradeRun;
    } catch (error) {
      // It ended before it had one, and before it touched a host.
      if (errorCode(error) === "ENOENT") continue;
      throw new OperatorError("failed", `the record of an upgrade, ${path}, cannot be read`, {
        next: "look at it; the hosts keep theirs in ~/.local/state/lcops",
        cause: error,
      });
    }
  }
  return undefined;
}
