import { setTimeout as wait } from "node:timers/promises";
import type { Reading } from "../../system/reading.ts";
import { type KeptAnswer, keepAnswer, keepSilence, readKept } from "./keep-readings.ts";
import { askWithin, type Source } from "./source.ts";

export interface WatchedSources {
  /** What is known now, in the order of the sources; nothing of those that have not been heard of. */
  readings(nowMs: number): Reading[];
  /** Those that have neither answered nor been given up yet. */
  awaited(): Source[];
}

/** Given sources, ask each of them again and again, at its own pace and never twice at once, until the signal is aborted. `changed` is told of each answer. */
export function watchSources(
  sources: readonly Source[],
  signal: AbortSignal,
  changed: (readings: readonly Reading[]) => void,
): WatchedSources {
  const kept = new Map<Source, KeptAnswer>();
  const askOnce = async (source: Source): Promise<KeptAnswer> => {
    const before = kept.get(source);
    try {
      const readings = await askWithin(source.limitMs, signal, source.read);
      return keepAnswer(before, source, readings, Date.now());
    } catch (error) {
      signal.throwIfAborted();
      return keepSilence(before, source, error, Date.now());
    }
  };
  for (const source of sources) {
    void repeat(source.everyMs, signal, async () => {
      const answer = await askOnce(source);
      kept.set(source, answer);
      changed(readKept(answer, source, Date.now()));
    });
  }
  return {
    readings: (nowMs) =>
      sources.flatMap((source) => {
        const answer = kept.get(source);
        return answer ? readKept(answer, source, nowMs) : [];
      }),
    awaited: () => sources.filter((source) => !kept.has(source)),
  };
}

/** Do the work again and again, so long after each end of it, until the signal is aborted. What it throws otherwise ends it. */
export async function repeat(
  everyMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    for (;;) {
      await work();
      await wait(everyMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
