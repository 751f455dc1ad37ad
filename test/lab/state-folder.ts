/** The folder in which the labs of one user know of each other. */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { identify, isAlive } from "./process-table.ts";
import type { ProcessIdentity } from "./process-table.ts";

/**
 * Returns the folder, made when it is missing.
 * Throws when somebody else owns it, since what it says decides which processes are killed.
 */
export function stateFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = path.join(os.tmpdir(), `lcops-lab-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new Error(`${folder} is not a private folder of this user: remove it, then start again`);
  return folder;
}

/** Takes a file and a value; replaces the file by it in one step. */
export function writeJson(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Takes a file; returns what it holds, or undefined when it is missing or cut. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

type Holders = { holders: ProcessIdentity[] };
export type Lock = { addHolder(pid: number): void; release(): void };

/** Two waiters may find the same dead lock: only what was taken aside and is still dead is thrown away. */
function removeDeadLock(file: string): void {
  const aside = `${file}.${process.pid}.dead`;
  try {
    renameSync(file, aside);
    if ((readJson(aside) as Holders | undefined)?.holders.some(isAlive)) linkSync(aside, file);
  } catch {
    // Another waiter was faster.
  }
  rmSync(aside, { force: true });
}

/**
 * Takes a lock's name; waits until its holders are gone, and returns the lock.
 * A holder added later (a program that outlives us when we are killed) keeps it too.
 */
export async function takeLock(name: string): Promise<Lock> {
  const file = path.join(stateFolder(), `${name}.lock`);
  const mine = `${file}.${process.pid}`;
  const holders = [identify(process.pid)].filter((found) => found !== undefined);
  for (;;) {
    writeJson(mine, { holders } satisfies Holders);
    try {
      linkSync(mine, file);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const held = readJson(file) as Holders | undefined;
    if (held?.holders.some(isAlive)) await wait(200);
    else removeDeadLock(file);
  }
  return {
    addHolder: (pid) => {
      const holder = identify(pid);
      if (holder) holders.push(holder);
      writeJson(file, { holders } satisfies Holders);
    },
    release: () => rmSync(file, { force: true }),
  };
}
