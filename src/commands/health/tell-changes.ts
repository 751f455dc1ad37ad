import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../system/atomic-file.ts";
import { describeError, errorCode } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import type { HealthState } from "../../system/reading.ts";
import type { Context } from "../command.ts";
import { tellPeople } from "../tell-people.ts";
import type { ShownReading } from "./describe-readings.ts";
import { fileOf, keyOf } from "./memory.ts";

/** What was told last of each thing that was not well then. */
export type Told = Record<string, { state: HealthState; at: string }>;

interface Changes {
  worse: ShownReading[];
  better: ShownReading[];
  /** What they have been told once they have heard of these. */
  next: Told;
}

/** What was not seen again for so long is gone. */
const FORGET_MS = 30 * 86_400_000;
/** A chat is no table. */
const MOST_LINES = 20;

/** Given what was told and how everything is now, return what has got worse and what is well again, and what will have been told then. Pure. */
export function findChanges(told: Told, readings: readonly ShownReading[], now: Date): Changes {
  const isYoung = ([, { at }]: [string, Told[string]]): boolean =>
    now.getTime() - Date.parse(at) < FORGET_MS;
  const next: Told = Object.fromEntries(Object.entries(told).filter(isYoung));
  const [worse, better]: [ShownReading[], ShownReading[]] = [[], []];
  for (const reading of readings) {
    const key = keyOf(reading);
    const before = told[key]?.state ?? "ok";
    if (GRAVITY[reading.state] > GRAVITY[before]) worse.push(reading);
    else if (GRAVITY[reading.state] === 0 && GRAVITY[before] > 0) better.push(reading);
    // That nobody could look in between makes nothing better.
    const state = reading.state === "unknown" && GRAVITY[before] > 0 ? before : reading.state;
    if (GRAVITY[state] === 0) delete next[key];
    else next[key] = { state, at: now.toISOString() };
  }
  return { worse, better, next };
}

/** What its watcher was told to leave is not told of. */
const GRAVITY: Readonly<Record<HealthState, number>> = {
  ok: 0,
  unmonitored: 0,
  unknown: 1,
  warn: 2,
  fail: 3,
};

/**
 * Given how everything is, tell whom the configuration names what has changed since they were told last: once each, and where nobody watches, so
 * that whoever looks by hand tells nobody. What one of them has not heard is told them again by the next run.
 */
export async function tellChanges(
  readings: readonly ShownReading[],
  context: Context,
  now: Date,
): Promise<void> {
  const { health } = await context.config();
  if (!health?.notify || context.terminal.canPrompt) return;
  const path = fileOf(context.folders.state, context.configPath, "-told");
  try {
    const release = await takeKernelLock(`${path}.lock`);
    // Another run is telling them.
    if (!release) return;
    try {
      const told = await readTold(path);
      for (const name of health.notify) {
        const changes = findChanges(told[name] ?? {}, readings, now);
        if (!(await tellOne(name, changes, context))) continue;
        told[name] = changes.next;
        await writeFileAtomically(path, JSON.stringify(told));
      }
    } finally {
      await release();
    }
  } catch (error) {
    context.terminal.warn(
      printable(`lcops: what was told is not remembered: ${describeError(error)}`),
    );
  }
}

/** Returns whether they know now what there is to know. */
async function tellOne(
  name: string,
  { worse, better }: Changes,
  context: Context,
): Promise<boolean> {
  if (worse.length + better.length === 0) return true;
  const isFailing = worse.some(({ state }) => state === "fail");
  return tellPeople(
    [name],
    {
      event: "health",
      text: describeChanges(worse, better),
      worse: worse.map(shorten),
      better: better.map(shorten),
      about: "health",
      level: worse.length === 0 ? "ok" : isFailing ? "fail" : "warn",
      isOver: worse.length === 0,
    },
    context,
  );
}

async function readTold(path: string): Promise<Record<string, Told>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, Told>;
  } catch (error) {
    // One that is damaged is made anew: everything is told once more.
    if (errorCode(error) === "ENOENT" || error instanceof SyntaxError) return {};
    throw error;
  }
}

function describeChanges(worse: readonly ShownReading[], better: readonly ShownReading[]): string {
  const lines = [
    ...worse.map(({ area, name, state, detail }) => `${state} ${area} ${name}: ${detail}`),
    ...better.map(({ area, name, detail }) => `well again ${area} ${name}: ${detail}`),
  ];
  const more = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

function shorten({ area, name, state, detail, since }: ShownReading): object {
  return { area, name, state, detail, since };
}
