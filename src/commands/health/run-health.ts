import { describeError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Reading } from "../../system/reading.ts";
import type { Context, Input } from "../command.ts";
import { describeReadings } from "./describe-readings.ts";
import { exitCodeOfStates } from "./exit-code-of-states.ts";
import { readDisks } from "./graphs.ts";
import { changeMemory, readMemory, remember } from "./memory.ts";
import { withSources } from "./plan-sources.ts";
import { renderReadings } from "./render-readings.ts";
import { readSource, type Source } from "./source.ts";
import { tellChanges } from "./tell-changes.ts";

/** Given what was typed, do what `lcops health` says and return the exit code. */
export async function runHealth({ options }: Input, context: Context): Promise<number> {
  if (options["watch"] === true) {
    const { runWatch } = await import("./run-watch.ts");
    return runWatch(context);
  }
  const { terminal, folders, configPath } = context;
  const { startProgress } = await import("../../terminal/progress.ts");
  const progress = startProgress(terminal);
  const { readings, disks } = await withSources(context, async ({ sources, graphs }) => {
    const found = await readAll(sources, context.signal, (done) =>
      progress.update(`${done} of ${sources.length} have answered or are given up`),
    );
    return { readings: found, disks: await readDisks(graphs, found, context) };
  }).finally(() => progress.end());
  const now = new Date();
  const memory = await readMemory(folders.state, configPath);
  const shown = describeReadings(readings, memory, disks, now);
  await renderReadings(shown, context, now);
  await changeMemory(folders.state, configPath, (memory) => remember(memory, shown, now)).catch(
    (error: unknown) =>
      terminal.warn(`lcops: this look is not remembered: ${printable(describeError(error))}`),
  );
  await tellChanges(shown, context, now);
  return exitCodeOfStates(shown.map(({ state }) => state));
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
