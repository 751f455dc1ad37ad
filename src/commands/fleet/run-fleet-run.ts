import { readFleetSettings } from "../../fleet/fleet-settings.ts";
import { foldNames } from "../../fleet/fold-names.ts";
import { makeRunFolder } from "../../fleet/run-folder.ts";
import { type HostResult, type HostState, runOnHosts } from "../../fleet/run-on-hosts.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { keepMemoryFlat } from "../../system/keep-memory-flat.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { remoteCommand } from "../quote-words.ts";
import { tellPeople } from "../tell-people.ts";
import { pickHosts } from "./pick-hosts.ts";
import { printResult, showResults } from "./show-results.ts";

/** Given what was typed, do what `lcops fleet run` says and return the exit code. */
export async function runFleetRun(input: Input, context: Context): Promise<number> {
  const { terminal, signal } = context;
  if (!input.rest) {
    throw new OperatorError("usage", "it must be said what to run", {
      next: `lcops fleet run ${input.operands.join(" ")} -- COMMAND`,
    });
  }
  keepMemoryFlat();
  const { atOnce, limitMs } = readFleetSettings(await context.config());
  const { hosts, isPartial } = await pickHosts(input.operands, context);
  const names = foldNames(hosts.map(({ label }) => label));
  const folder = await makeRunFolder(context.folders.state, "run");
  // What a command does nobody knows but who typed it: it is written down as a change.
  const record = await context.journal({ change: `run a command on ${names}` });
  if (terminal.flags.json) {
    const labels = hosts.map(({ label }) => label);
    terminal.printEvent({ event: "begin", run: folder.id, hosts: labels, logs: folder.path });
  }
  const progress = startProgress(terminal);
  const running = new Set<string>();
  let ended = 0;
  const draw = (): void =>
    progress.update(
      printable(`${ended} of ${hosts.length} done; running: ${foldNames([...running])}`),
    );
  const results = await runOnHosts(hosts, remoteCommand(input.rest), {
    reach: await context.reach(),
    atOnce,
    limitMs,
    folder: folder.path,
    signal,
    onBegin: (host) => {
      running.add(host);
      draw();
    },
    onResult: async (result) => {
      running.delete(result.host);
      ended++;
      draw();
      if (terminal.flags.json) await printResult(result, terminal);
    },
  })
    .catch(async (error: unknown) => {
      await record.end({ state: "unknown", detail: `${describeError(error)}; ${folder.id}` });
      throw error;
    })
    .finally(progress.end);
  const counts = countStates(results);
  const detail = describeCounts(counts);
  const isAll = counts.done === results.length;
  const state = isAll ? "done" : counts.unknown > 0 ? "unknown" : "failed";
  await record.end({ state, detail: `${detail}; ${folder.id}` });
  if (terminal.flags.json)
    terminal.printEvent({ event: "end", run: folder.id, ...counts, isPartial });
  else await showResults(results, terminal);
  if (!isAll) terminal.warn(`lcops: ${detail}; all that was said is in ${folder.path}`);
  else terminal.note(`${detail}; all that was said is in ${folder.path}`);
  await tellPeople(
    (await context.config()).fleet?.notify ?? [],
    {
      event: "fleet run",
      // Not the command: it may hold what is nobody's business.
      text: `fleet run on ${names}: ${detail}${describeIll(results)}`,
      run: folder.id,
      counts,
      about: "fleet run",
      level: isAll ? "ok" : counts.done === 0 ? "fail" : "warn",
    },
    context,
  );
  return exitCodeOfResults(results, isPartial);
}

/** Returns 1 where no host has done it, 3 where one has not, or could not be seen. Pure. */
export function exitCodeOfResults(
  results: readonly Pick<HostResult, "state">[],
  isPartial: boolean,
): number {
  const done = results.filter(({ state }) => state === "done").length;
  if (done === 0) return 1;
  return done === results.length && !isPartial ? 0 : 3;
}

type Counts = Record<HostState, number>;

function countStates(results: readonly HostResult[]): Counts {
  const counts = { done: 0, failed: 0, unknown: 0, unreached: 0, untried: 0 };
  for (const { state } of results) counts[state]++;
  return counts;
}

/** `; not done on web-[1-3]`, or nothing. */
function describeIll(results: readonly HostResult[]): string {
  const ill = results.filter(({ state }) => state !== "done").map(({ host }) => host);
  return ill.length === 0 ? "" : `; not done on ${foldNames(ill)}`;
}

const STATES: readonly HostState[] = ["done", "failed", "unknown", "unreached", "untried"];

/** `18 done, 1 failed, 1 unknown`. */
function describeCounts(counts: Counts): string {
  return STATES.filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(", ");
}
