import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../system/atomic-file.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import type { HealthState, Reading } from "../../system/reading.ts";
import type { DiskSample } from "./predict-full.ts";

/** What earlier runs have seen, by `keyOf`. */
export interface HealthMemory {
  states: Record<string, { state: HealthState; since: string; seenAt: string }>;
  disks: Record<string, DiskSample[]>;
}

const SAMPLE_EVERY_MS = 6 * 3_600_000;
const MOST_SAMPLES = 120;
/** What was not seen for so long is gone. */
const FORGOTTEN_MS = 30 * 86_400_000;
const LOCK_TRIES = 20;
const LOCK_PAUSE_MS = 100;

/** Given a reading, return what it is remembered by. Pure. */
export const keyOf = ({ area, name }: Pick<Reading, "area" | "name">): string => `${area} ${name}`;

/** Given the state folder, the configuration and what else is kept of it, return the path of the file. Pure. */
export const fileOf = (stateFolder: string, configPath: string, what = ""): string => {
  const hash = createHash("sha256").update(configPath).digest("hex").slice(0, 16);
  return join(stateFolder, "health", `${hash}${what}.json`);
};

/** Given the state folder and the configuration, return what is remembered; a file that is missing or damaged remembers nothing. */
export async function readMemory(stateFolder: string, configPath: string): Promise<HealthMemory> {
  const none: HealthMemory = { states: {}, disks: {} };
  try {
    const found = JSON.parse(
      await readFile(fileOf(stateFolder, configPath), "utf8"),
    ) as Partial<HealthMemory>;
    return { ...none, ...found };
  } catch {
    return none;
  }
}

/** Read what is remembered, change it, and write it, alone. Throws what the disk throws. */
export async function changeMemory(
  stateFolder: string,
  configPath: string,
  change: (memory: HealthMemory) => Promise<HealthMemory> | HealthMemory,
): Promise<void> {
  const file = fileOf(stateFolder, configPath);
  const release = await takeLock(file);
  try {
    const changed = await change(await readMemory(stateFolder, configPath));
    await writeFileAtomically(file, JSON.stringify(changed));
  } finally {
    await release?.();
  }
}

/** Past the wait the later writer wins: what is lost is a sample. */
async function takeLock(file: string): Promise<(() => Promise<void>) | undefined> {
  for (let tried = 0; tried < LOCK_TRIES; tried++) {
    const release = await takeKernelLock(`${file}.lock`);
    if (release) return release;
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
  return undefined;
}

/** Given what is remembered and the readings of now, return what is to be remembered. Pure. */
export function remember(
  memory: HealthMemory,
  readings: readonly Reading[],
  now: Date,
): HealthMemory {
  const oldest = now.getTime() - FORGOTTEN_MS;
  const states = Object.fromEntries(
    Object.entries(memory.states).filter(([, { seenAt }]) => Date.parse(seenAt) > oldest),
  );
  const disks = Object.fromEntries(
    Object.entries(memory.disks).filter(([, samples]) => (samples.at(-1)?.[0] ?? 0) > oldest),
  );
  for (const reading of readings) {
    const key = keyOf(reading);
    const { state, disk } = reading;
    states[key] = { state, since: sinceOf(memory, reading, now), seenAt: now.toISOString() };
    if (!disk) continue;
    const samples = disks[key] ?? [];
    const last = samples.at(-1)?.[0] ?? -Infinity;
    if (now.getTime() - last < SAMPLE_EVERY_MS) continue;
    disks[key] = [...samples, [now.getTime(), disk.usedBytes] as const].slice(-MOST_SAMPLES);
  }
  return { states, disks };
}

/** Given what is remembered and a reading, return since when it is so, as far as anybody knows (ISO 8601). Pure. */
export function sinceOf(memory: HealthMemory, reading: Reading, now: Date): string {
  const known = memory.states[keyOf(reading)];
  if (reading.since !== undefined) return reading.since;
  return known?.state === reading.state ? known.since : now.toISOString();
}
