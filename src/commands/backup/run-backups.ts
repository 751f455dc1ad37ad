import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import { describeShrinkage } from "../../backup/find-shrinkage.ts";
import type { JobResult } from "../../backup/run-job.ts";
import type { ServiceConfig } from "../../config/schema.ts";
import { describeInOneLine, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { tellPeople } from "../tell-people.ts";
import { describeRows } from "./describe-rows.ts";
import { type Backups, type Job, loadDriver, withBackups } from "./open-backups.ts";
import { programEnvironment } from "./program-environment.ts";

/** What became of a job of this run. */
type Outcome = JobResult | { job: string; state: "locked" };

/** Streams at once: each has a program or two of its own, and a few MiB of memory. */
const MOST_STREAMS = 4;

/** Given what was typed, do what `lcops backup run` says and return the exit code. */
export function runBackups(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { startProgress } = await import("../../terminal/progress.ts");
    const jobs = backups.pick(input.operands);
    const { terminal } = context;
    const parallel = Math.max(2, Math.min(MOST_STREAMS, availableParallelism()));
    const limit = pLimit(parallel);
    let progress = startProgress(terminal);
    const lines = new Map<string, string>();
    let bytes = 0;
    const draw = (): void =>
      progress.update(
        `${describeBytes(bytes)}  ${[...lines].map(([name, line]) => `${name}: ${line}`).join("  ")}`,
      );
    try {
      const outcomes = await Promise.all(
        jobs.map(async (job) => {
          if (terminal.flags.json) terminal.printEvent({ event: "begun", job: job.name });
          const outcome = await runOne(job, backups, context, {
            limit,
            parallel,
            update: (line) => {
              lines.set(job.name, printable(line.replace(`${job.name}: `, "")));
              draw();
            },
            warn: (line) => {
              progress.end();
              terminal.warn(printable(`lcops: ${job.name}: ${line}`));
              progress = startProgress(terminal);
            },
            passed: (more) => {
              bytes += more;
              draw();
            },
          });
          lines.delete(job.name);
          progress.end();
          tell(job, outcome, context);
          await notify(job, outcome, context);
          progress = startProgress(terminal);
          return outcome;
        }),
      );
      return exitCodeOfRun(outcomes);
    } finally {
      progress.end();
    }
  });
}

async function runOne(
  one: Job,
  backups: Backups,
  context: Context,
  run: {
    limit: ReturnType<typeof pLimit>;
    parallel: number;
    update: (line: string) => void;
    warn: (line: string) => void;
    passed: (bytes: number) => void;
  },
): Promise<Outcome> {
  const { name, job, service } = one;
  const { signal, folders } = context;
  const { takeJobLock } = await import("../../backup/job-lock.ts");
  const { sweepUnfinished } = await import("../../backup/collect-garbage.ts");
  const { makeEncoder } = await import("../../backup/codec.ts");
  const { runJob } = await import("../../backup/run-job.ts");
  const release = await takeJobLock(folders.state, name);
  if (!release) return { job: name, state: "locked" };
  const began = Date.now();
  try {
    const stores = await backups.stores(job);
    await sweepUnfinished(folders.state, name, stores, async (setIds) => {
      const { findExternals } = await import("./find-externals.ts");
      for (const { remove } of await findExternals(one, { stores, setIds }, backups, context))
        await remove();
    });
    const recipients = job.recipients ?? backups.settings.recipients ?? [];
    const childEnvironment = await programEnvironment(context);
    const encoder = await makeEncoder(recipients, { environment: childEnvironment, signal });
    const environmentName = backups.openPlace(job.service).environment;
    return await runJob({
      ...run,
      name,
      job,
      environmentName,
      driver: await loadDriver(service, job.service),
      place: backups.openPlace(job.service),
      stores,
      encoder,
      recipients,
      version: context.version,
      programs: {},
      stateFolder: folders.state,
      environment: childEnvironment,
      signal,
      trace: context.terminal.trace,
      journal: context.journal,
    });
  } catch (error) {
    signal.throwIfAborted();
    return {
      job: name,
      state: "failed",
      reason: describeInOneLine(error),
      ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
      destinations: [],
      plainBytes: 0,
      storedBytes: 0,
      parts: 0,
      tookMs: Date.now() - began,
      warnings: [],
    };
  } finally {
    await release();
  }
}

/** Given what became of a job, tell it. */
export function tell(
  { service }: Pick<Job, "service">,
  outcome: Outcome,
  { terminal }: Pick<Context, "terminal">,
): void {
  if (terminal.flags.json) terminal.printEvent({ event: "ended", ...outcome });
  if (outcome.state === "locked") {
    terminal.warn(`lcops: ${outcome.job}: another run of this job holds the lock; wait for it`);
    return;
  }
  const { job, state, warnings } = outcome;
  if (state !== "complete") terminal.warn(printable(`lcops: ${describeOutcome(outcome, service)}`));
  else if (!terminal.flags.json) terminal.note(describeOutcome(outcome, service));
  for (const line of describeShrinkage(warnings))
    terminal.warn(
      `lcops: ${job}: ${printable(line)}; look before the sets that have it are pruned`,
    );
  for (const { code, object, detail } of warnings) {
    const about = [object, detail].filter((text) => text !== undefined).join(": ");
    terminal.note(printable(`${job}: ${code} ${about}`));
  }
}

function describeOutcome(outcome: JobResult, service: ServiceConfig): string {
  const { job, state, reason = "", next, setId = "", refused } = outcome;
  const then = next === undefined ? "" : `; ${next}`;
  if (state === "failed")
    return `${job} ${refused ? "is refused" : "has failed"}: ${reason}${then}`;
  if (state === "incomplete") return `${job}: the set ${setId} is incomplete: ${reason}`;
  return describeDone(outcome, service);
}

function describeDone(outcome: JobResult, service: ServiceConfig): string {
  const { job, setId, storedBytes, parts, rows, referred, external, tookMs, destinations } =
    outcome;
  const where = destinations.map(({ name }) => name).join(" and ");
  const more = [
    rows === undefined ? "" : `, ${describeRows(rows, service)}`,
    referred
      ? `, and ${describeBytes(referred.storedBytes)} in ${countOf(referred.parts, "part")} of earlier sets`
      : "",
    external
      ? `, a snapshot of ${describeBytes(external.total)}, ${describeBytes(external.added)} of it new`
      : "",
  ].join("");
  return `${job}: ${setId}, ${describeBytes(storedBytes)} in ${countOf(parts, "part")}${more}, in ${(tookMs / 1000).toFixed(1)} s, at ${where}`;
}

/** Whoever is to hear of it. */
async function notify(
  { name, job, service }: Job,
  outcome: Outcome,
  context: Context,
): Promise<void> {
  if (outcome.state === "locked") return;
  const level = { complete: "ok", incomplete: "warn", failed: "fail" } as const;
  await tellPeople(
    job.notify ?? [],
    {
      event: "backup",
      text: `backup ${describeOutcome(outcome, service)}`,
      ...outcome,
      about: name,
      level: level[outcome.state],
    },
    context,
  );
}

/** Returns 1 where nothing was published, 5 where nothing but guards stood in the way, 6 where others hold every lock, 3 where a part of it is missing. Pure. */
export function exitCodeOfRun(outcomes: readonly Outcome[]): number {
  const all = (state: Outcome["state"]): boolean => outcomes.every((one) => one.state === state);
  if (all("complete")) return 0;
  if (all("locked")) return 6;
  if (outcomes.every((one) => one.state === "failed" && one.refused)) return 5;
  return outcomes.some(({ state }) => state === "complete" || state === "incomplete") ? 3 : 1;
}
