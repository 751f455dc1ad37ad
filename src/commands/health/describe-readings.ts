import type { Reading } from "../../system/reading.ts";
import { type HealthMemory, keyOf, sinceOf } from "./memory.ts";
import { type DiskSample, predictFull, SHORTEST_SPAN_MS } from "./predict-full.ts";

/** A reading as it is shown. */
export interface ShownReading extends Reading {
  since: string;
  seenAt: string;
  /** The day on which a disk is full if it goes on like that (`2027-01-03`). */
  fullOn?: string;
}

/** A weekend, and the days that room takes to come. */
const NEAR_MS = 7 * 86_400_000;

/**
 * Given readings, what earlier runs saw, and what a Graphite knows of disks, return them as they are shown. A disk that is full within a week is not
 * well. Graphite goes before what was seen here: it looks all the time. Pure.
 */
export function describeReadings(
  readings: readonly Reading[],
  memory: HealthMemory,
  known: ReadonlyMap<string, readonly DiskSample[]>,
  now: Date,
): ShownReading[] {
  return readings.map((reading) => {
    const fullOn = findFull(reading, memory, known, now);
    const isNear = fullOn !== undefined && fullOn.getTime() - now.getTime() < NEAR_MS;
    const state = isNear && reading.state === "ok" ? "warn" : reading.state;
    return {
      ...reading,
      state,
      since: sinceOf(memory, { ...reading, state }, now),
      seenAt: reading.seenAt ?? now.toISOString(),
      ...(fullOn && { fullOn: fullOn.toISOString().slice(0, 10) }),
    };
  });
}

function findFull(
  reading: Reading,
  memory: HealthMemory,
  known: ReadonlyMap<string, readonly DiskSample[]>,
  now: Date,
): Date | undefined {
  const { disk } = reading;
  if (!disk) return undefined;
  const key = keyOf(reading);
  const latest = [now.getTime(), disk.usedBytes] as const;
  const predict = (samples: readonly DiskSample[]): Date | undefined =>
    predictFull([...samples, latest], disk.totalBytes, now.getTime());
  const graphite = known.get(key);
  // What it has of too few days says nothing; what it has of many is not made better by less.
  return graphite && isLong(graphite) ? predict(graphite) : predict(memory.disks[key] ?? []);
}

/** Given samples, return whether they are enough to be judged by. Pure. */
const isLong = (samples: readonly DiskSample[]): boolean =>
  (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0) >= SHORTEST_SPAN_MS;
