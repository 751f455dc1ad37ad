import { describeError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { HealthState, Reading } from "../../system/reading.ts";
import type { Context, Input } from "../command.ts";
import { changeMemory, type HealthMemory, keyOf, readMemory, remember, sinceOf } from "./memory.ts";
import { withSources } from "./plan-sources.ts";
import { predictFull } from "./predict-full.ts";
import { renderReadings } from "./render-readings.ts";
import { readSource, type Source } from "./source.ts";
import { tellChanges } from "./tell-changes.ts";

/** A reading as it is shown. */
export interface ShownReading extends Reading {
  since: string;
  seenAt: string;
  /** The day on which a disk is full if it goes on like that (`2027-01-03`). */
  fullOn?: string;
}

/** A weekend, and the days that room takes to come. */
const NEAR_MS = 7 * 86_400_000;

/** Given what was typed, do what `lcops health` says and return the exit code. */
export async function runHealth(_input: Input, context: Context): Promise<number> {
  const { terminal, folders, configPath } = context;
  const { startProgress } = await import("../../terminal/progress.ts");
  const progress = startProgress(terminal);
  const readings = await withSources(context, (sources) =>
    readAll(sources, context.signal, (done) =>
      progress.update(`${done} of ${sources.length} have answered or are given up`),
    ),
  ).finally(() => progress.end());
  const now = new Date();
  const shown = describe(readings, await readMemory(folders.state, configPath), now);
  await renderReadings(shown, context, now);
  await changeMemory(folders.state, configPath, (memory) => remember(memory, shown, now)).catch(
    (error: unknown) =>
      terminal.warn(`lcops: this look is not remembered: ${printable(describeError(error))}`),
  );
  await tellChanges(shown, context, now);
  return exitCodeOf(shown.map(({ state }) => state));
}

/** Given sources, ask all of them at once and return their readings in the order of the sources. `update` is told how many have ended. */
async function readAll(
  sources: readonly Source[],
  signal: AbortSignal,
  update: (done: number) => void,
): Promise<Reading[]> {
  let done = 0;
  const found = await Promise.all(
    sources.map(async (source) => {
      const readings = await readSource(source, signal);
      update(++done);
      return readings;
    }),
  );
  return found.flat();
}

/** Given readings and what earlier runs saw, return them as they are shown. A disk that is full within a week is not well. Pure. */
function describe(readings: readonly Reading[], memory: HealthMemory, now: Date): ShownReading[] {
  return readings.map((reading) => {
    const shown = {
      ...reading,
      since: sinceOf(memory, reading, now),
      seenAt: reading.seenAt ?? now.toISOString(),
    };
    const { disk } = reading;
    if (!disk) return shown;
    const samples = [
      ...(memory.disks[keyOf(reading)] ?? []),
      [now.getTime(), disk.usedBytes] as const,
    ];
    const full = predictFull(samples, disk.totalBytes, now.getTime());
    if (!full) return shown;
    const isNear = full.getTime() - now.getTime() < NEAR_MS;
    return {
      ...shown,
      ...(isNear && reading.state === "ok" && { state: "warn" as const }),
      fullOn: full.toISOString().slice(0, 10),
    };
  });
}

/**
 * What does not do well is what the check looks for: 4. Where nothing is known to be unwell and not everything is known, 3: it was looked at in part.
 * Pure.
 */
export function exitCodeOf(states: readonly HealthState[]): number {
  if (states.some((state) => state === "fail" || state === "warn")) return 4;
  return states.length > 0 && states.every((state) => state === "ok") ? 0 : 3;
}
