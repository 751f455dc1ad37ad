/** Reads the kernel's process table: which process is which, and whose child it is. */
import { readdirSync, readFileSync } from "node:fs";

/** A process that can be told from a later one with the same number. */
export type ProcessIdentity = { pid: number; startTime: string };

function readStat(pid: number): { parent: number; state: string; startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name stands in parentheses and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Takes a process id; returns its identity, or undefined when no such process runs (a zombie does not). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.state === "Z" ? undefined : { pid, startTime: stat.startTime };
}

/** Takes an identity; returns whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Returns the ids of all processes. */
function listProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Takes process ids; returns these that run and all their descendants. */
export function withDescendants(roots: number[]): ProcessIdentity[] {
  const wanted = new Set(roots);
  const stats = listProcesses().map((pid) => ({ pid, stat: readStat(pid) }));
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size;
    for (const { pid, stat } of stats) if (stat && wanted.has(stat.parent)) wanted.add(pid);
  }
  return [...wanted].map(identify).filter((found) => found !== undefined);
}

/** Takes `NAME=value`; returns the processes that were started with it in their environment, as far as we may look. */
export function processesWithEnvironment(assignment: string): ProcessIdentity[] {
  return listProcesses()
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(assignment);
      } catch {
        return false;
      }
    })
    .map(identify)
    .filter((found) => found !== undefined);
}

/** Takes an identity and a signal; sends it only to that very process, and tells whether it did. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}
