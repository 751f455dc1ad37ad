import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Reading } from "../../system/reading.ts";
import { showLive } from "../../terminal/live-screen.ts";
import type { Context } from "../command.ts";
import { describeReadings, type ShownReading } from "./describe-readings.ts";
import { drawReadings } from "./draw-readings.ts";
import { exitCodeOfStates } from "./exit-code-of-states.ts";
import { changeMemory, readMemory, remember } from "./memory.ts";
import { type Asked, withSources } from "./plan-sources.ts";
import { sayInAll } from "./render-readings.ts";
import { watchGraphs } from "./watch-graphs.ts";
import { repeat, watchSources } from "./watch-sources.ts";

const REMEMBER_EVERY_MS = 60_000;

/** Keep how everything is on the screen until it is left, and return the exit code of what was seen last. Throws `usage` where there is no screen. */
export async function runWatch(context: Context): Promise<number> {
  const { terminal } = context;
  if (!terminal.canFillScreen) {
    throw new OperatorError("usage", "health --watch needs a terminal to draw on and to be left", {
      next: "run lcops health, or lcops health --json, again and again",
    });
  }
  const seen = await withSources(context, async (asked) => {
    const leaving = new AbortController();
    const signal = AbortSignal.any([context.signal, leaving.signal]);
    try {
      return await watch(asked, context, signal);
    } finally {
      leaving.abort(new OperatorError("cancelled", "it is not watched any more"));
    }
  });
  sayInAll(seen, terminal);
  return exitCodeOfStates(seen.map(({ state }) => state));
}

async function watch(
  { sources, graphs }: Asked,
  context: Context,
  signal: AbortSignal,
): Promise<ShownReading[]> {
  const { terminal, folders, configPath } = context;
  let memory = await readMemory(folders.state, configPath);
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());
  const describe = (readings: readonly Reading[], now: Date): ShownReading[] =>
    describeReadings(readings, memory, watchedGraphs.disks, now);
  const watched = watchSources(sources, signal, (readings) => {
    const now = new Date();
    memory = remember(memory, describe(readings, now), now);
    tell();
  });
  const readNow = (now: Date): ShownReading[] => describe(watched.readings(now.getTime()), now);
  const watchedGraphs = watchGraphs(
    graphs,
    () => watched.readings(Date.now()),
    context,
    signal,
    tell,
  );
  const save = (): Promise<void> =>
    changeMemory(folders.state, configPath, (found) => {
      const now = new Date();
      return remember(found, readNow(now), now);
    });
  // What is not remembered now is at the end, where it is told that it cannot be.
  void repeat(REMEMBER_EVERY_MS, signal, () => save().catch(() => undefined));

  /** What has not been heard of yet is not well, and not remembered either. */
  const readAll = (now: Date): ShownReading[] => [
    ...readNow(now),
    ...watched.awaited().map(({ area, name }) => {
      const at = now.toISOString();
      return {
        area,
        name,
        state: "unknown" as const,
        detail: "not heard of yet",
        since: at,
        seenAt: at,
      };
    }),
  ];
  const watchChanges = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  await showLive(
    terminal,
    {
      draw: (size) => {
        const now = new Date();
        return drawReadings(readAll(now), watchedGraphs.lines, terminal, size, now);
      },
      watch: watchChanges,
    },
    signal,
  );
  const seen = readAll(new Date());
  await save().catch((error: unknown) =>
    terminal.warn(`lcops: what was watched is not remembered: ${printable(describeError(error))}`),
  );
  return seen;
}
