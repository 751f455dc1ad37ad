/** What a lab leaves when it is killed, and how the next one finds it. */
import { readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  identify,
  isAlive,
  processesWithEnvironment,
  signalProcess,
  withDescendants,
} from "./process-table.ts";
import type { ProcessIdentity } from "./process-table.ts";
import { readJson, stateFolder, writeJson } from "./state-folder.ts";

/** Every process of a lab, and of the sessions on its hosts, is started with this variable naming its folder. */
export const LAB_VARIABLE = "LCOPS_LAB";
export const LAB_PREFIX = "lcops-lab-";

type LabRecord = { owner: ProcessIdentity; folder: string; servers: ProcessIdentity[] };
export type Recorder = { add(pid: number): void; remove(pid: number): void; erase(): void };

/** Takes a lab's folder; returns the keeper of its record, which survives us. */
export function recordLab(folder: string): Recorder {
  const file = path.join(stateFolder(), `${path.basename(folder)}.json`);
  const owner = identify(process.pid);
  if (!owner)
    throw new Error("this machine has no /proc, without which a lab cannot be cleaned up");
  const servers = new Map<number, ProcessIdentity>();
  const write = () =>
    writeJson(file, { owner, folder, servers: [...servers.values()] } satisfies LabRecord);
  write();
  return {
    add: (pid) => {
      const identity = identify(pid);
      if (identity) servers.set(pid, identity);
      write();
    },
    remove: (pid) => {
      if (servers.delete(pid)) write();
    },
    erase: () => rmSync(file, { force: true }),
  };
}

/** Takes a lab's folder and its servers; returns all that still runs of it, sessions and their programs included. */
export function processesOfLab(folder: string, servers: ProcessIdentity[]): ProcessIdentity[] {
  const found = withDescendants(servers.filter(isAlive).map((server) => server.pid));
  const others = processesWithEnvironment(`${LAB_VARIABLE}=${folder}`);
  const unique = new Map([...found, ...others].map((identity) => [identity.pid, identity]));
  unique.delete(process.pid);
  return [...unique.values()];
}

function isLabRecord(value: unknown): value is LabRecord {
  const record = value as LabRecord | undefined;
  const inTemporary =
    typeof record?.folder === "string" &&
    path.dirname(record.folder) === path.resolve(os.tmpdir()) &&
    path.basename(record.folder).startsWith(LAB_PREFIX);
  return inTemporary && typeof record.owner?.pid === "number" && Array.isArray(record.servers);
}

/** Takes where to report; ends the servers and removes the folders of labs whose owner is gone. */
export function removeLeftovers(log: (line: string) => void): void {
  const state = stateFolder();
  for (const name of readdirSync(state).filter(
    (entry) => entry.startsWith(LAB_PREFIX) && entry.endsWith(".json"),
  )) {
    const file = path.join(state, name);
    const record = readJson(file);
    if (!isLabRecord(record) || isAlive(record.owner)) continue;
    const left = processesOfLab(record.folder, record.servers);
    for (const identity of left) signalProcess(identity, "SIGKILL");
    rmSync(record.folder, { recursive: true, force: true, maxRetries: 5 });
    rmSync(file, { force: true });
    log(`lab: cleaned up after a killed one: ${left.length} processes, ${record.folder}`);
  }
}
