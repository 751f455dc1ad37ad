import { jobFolderOf } from "../../backup/job-folder.ts";
import { takeJobLock } from "../../backup/job-lock.ts";
import { lastVerdict, refusePruning } from "../../backup/judge-sets.ts";
import { type Decision, planRetention } from "../../backup/plan-retention.ts";
import { removeSet } from "../../backup/remove-set.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { describeWithNext } from "./describe-with-next.ts";
import { gatherSets, type Shelf } from "./gather-sets.ts";
import { type Backups, type Job, loadDriver, withBackups } from "./open-backups.ts";

/** What is to become of each set of a job at one destination. */
interface Pruning {
  shelf: Shelf;
  decisions: readonly Decision[];
}

/** What became of a job, as `--json` has it. */
interface Pruned {
  job: string;
  code: number;
  reason?: string;
  sets: (Decision & { at: string })[];
  gaps: readonly string[];
}

const CODES: Partial<Record<OperatorError["kind"], number>> = { refused: 5, locked: 6 };

/** Given what was typed, do what `lcops backup prune` says and return the exit code. */
export function runPrune(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { terminal, signal } = context;
    const isDryRun = input.options["dryRun"] === true;
    const jobs = backups.pick(input.operands);
    const done: Pruned[] = [];
    for (const job of jobs) {
      try {
        done.push(await pruneJob(job, backups, context, isDryRun));
      } catch (error) {
        // What stands in the way of one job does not hold up the others.
        signal.throwIfAborted();
        const code = error instanceof OperatorError ? (CODES[error.kind] ?? 1) : undefined;
        if (code === undefined || jobs.length === 1 || exitsAtOnce(error)) throw error;
        const reason = describeWithNext(error);
        terminal.warn(`lcops: ${printable(reason)}`);
        done.push({ job: job.name, code, reason, sets: [], gaps: [] });
      }
    }
    if (terminal.flags.json) terminal.printJson({ dryRun: isDryRun, jobs: done });
    return exitCodeOfJobs(done.map(({ code }) => code));
  });
}

/** Returns the code that all jobs have, 3 where they differ. Pure. */
export function exitCodeOfJobs(all: readonly number[]): number {
  const codes = new Set(all);
  return codes.size === 1 ? ([...codes][0] ?? 0) : 3;
}

const exitsAtOnce = (error: unknown): boolean =>
  error instanceof OperatorError && error.kind === "cancelled";

async function pruneJob(
  job: Job,
  backups: Backups,
  context: Context,
  isDryRun: boolean,
): Promise<Pruned> {
  const { terminal } = context;
  const { planned, gaps } = await withJobLock(job, context, () => plan(job, backups, context));
  const sets = planned.flatMap(({ shelf, decisions }) =>
    decisions.map((decision) => ({ ...decision, at: shelf.store.name })),
  );
  const result: Pruned = { job: job.name, code: gaps.length > 0 ? 3 : 0, sets, gaps };
  const removed = sets.filter(({ keep }) => !keep);
  if (removed.length === 0) {
    terminal.note(`${job.name}: there is nothing to remove`);
    return result;
  }
  const refusal = findRefusal(planned, job, new Date());
  if (refusal && !isDryRun) throw refusal;
  if (isDryRun && terminal.flags.json)
    return { ...result, ...(refusal && { reason: describeWithNext(refusal) }) };
  const bytes = planned.reduce((sum, one) => sum + sizeOf(one), 0);
  const change = {
    title: `remove ${removed.length} of ${sets.length} sets of ${job.name}, ${describeBytes(bytes)}`,
    lines: [
      ...planned.flatMap(describePruning),
      ...(refusal ? [`it would be refused: ${describeWithNext(refusal)}`] : []),
    ],
    target: job.name,
    danger: "destroys" as const,
    isProduction: backups.openPlace(job.job.service).isProduction,
  };
  if (!(await context.gate(change))) return result;
  // Nobody held up a run of the job meanwhile, so that it may have run: what was confirmed must still be what is done.
  return withJobLock(job, context, async () => {
    const now = await plan(job, backups, context);
    const isSame =
      JSON.stringify(listRemoved(now.planned)) === JSON.stringify(listRemoved(planned));
    if (!isSame || findRefusal(now.planned, job, new Date()))
      throw new OperatorError("refused", `${job.name}: its sets have changed meanwhile`, {
        next: "nothing was removed; look at the plan again",
      });
    await removeAll(now, change.title, job, backups, context);
    terminal.note(`${job.name}: ${countOf(removed.length, "set")} removed`);
    return result;
  });
}

async function withJobLock<T>(
  { name }: Job,
  { folders }: Context,
  work: () => Promise<T>,
): Promise<T> {
  const release = await takeJobLock(folders.state, name);
  if (!release) {
    throw new OperatorError("locked", `${name}: a run of this job holds the lock`, {
      next: "wait for it",
    });
  }
  return work().finally(release);
}

async function plan(
  job: Job,
  backups: Backups,
  context: Context,
): Promise<{ planned: Pruning[]; gaps: string[] }> {
  const { shelves, gaps } = await gatherSets(backups, [job], context);
  const options = {
    keep: job.job.keep,
    timeZone: backups.settings.timeZone ?? "UTC",
    now: new Date(),
  };
  const planned = shelves.map((shelf) => ({
    shelf,
    decisions: planRetention(
      shelf.sets.map(({ setId, manifest, reports }) => ({
        setId,
        at: new Date(manifest.startedAt),
        result: manifest.result,
        isProven: lastVerdict(reports)?.verdict === "proven",
        refersTo: manifest.parts.flatMap((part) => part.in ?? []),
      })),
      options,
    ),
  }));
  return { planned, gaps };
}

const listRemoved = (planned: readonly Pruning[]): string[] =>
  planned.flatMap(({ shelf, decisions }) =>
    decisions.filter(({ keep }) => !keep).map(({ setId }) => `${setId} at ${shelf.store.name}`),
  );

/** What is left must be known to be good, wherever something is to be removed. */
function findRefusal(
  planned: readonly Pruning[],
  { name, job }: Job,
  now: Date,
): OperatorError | undefined {
  for (const { shelf, decisions } of planned) {
    if (decisions.every(({ keep }) => keep)) continue;
    const refusal = refusePruning(shelf, job, now);
    if (!refusal) continue;
    const where = `${name} at ${shelf.store.name}`;
    return new OperatorError("refused", `${where}: ${refusal.why}, and nothing is removed before`, {
      next: `lcops backup ${refusal.mend} ${name}`,
    });
  }
  return undefined;
}

function sizeOf({ shelf, decisions }: Pruning): number {
  const removed = new Set(decisions.filter(({ keep }) => !keep).map(({ setId }) => setId));
  return shelf.sets
    .filter(({ setId }) => removed.has(setId))
    .reduce((sum, { manifest }) => sum + manifest.totals.storedBytes, 0);
}

function describePruning({ shelf, decisions }: Pruning): string[] {
  return [
    `at ${shelf.store.name} (${shelf.store.place}):`,
    ...decisions.map(
      ({ setId, keep, reasons }) => `${keep ? "keep  " : "remove"} ${setId}  ${reasons.join(", ")}`,
    ),
  ];
}

async function removeAll(
  { planned, gaps }: { planned: readonly Pruning[]; gaps: readonly string[] },
  title: string,
  job: Job,
  backups: Backups,
  context: Context,
): Promise<void> {
  const record = await context.journal({ change: `${title}: ${listRemoved(planned).join(", ")}` });
  try {
    for (const { shelf, decisions } of planned) {
      for (const { setId } of decisions.filter(({ keep }) => !keep)) {
        await removeSet(shelf.store, job.name, setId);
        context.terminal.trace(`${setId} is removed at ${shelf.store.name}`);
        const isElsewhere =
          gaps.length > 0 || planned.some((other) => other.shelf !== shelf && keeps(other, setId));
        if (!isElsewhere) await removeExternal(shelf, setId, job, backups, context);
      }
    }
  } catch (error) {
    await record.end({ state: "failed", detail: describeError(error) });
    throw error;
  }
  await record.end({ state: "done" });
}

const keeps = ({ decisions }: Pruning, setId: string): boolean =>
  decisions.some((one) => one.setId === setId && one.keep);

/** What no manifest names any more at any destination; one that does not answer may. */
async function removeExternal(
  { sets }: Shelf,
  setId: string,
  { name, job, service }: Job,
  backups: Backups,
  context: Context,
): Promise<void> {
  const external = sets.find((set) => set.setId === setId)?.manifest.external;
  if (!external) return;
  const driver = await loadDriver(service, job.service);
  await driver.external?.remove(external, backups.openPlace(job.service), {
    job,
    environment: await context.childEnvironment(),
    signal: context.signal,
    update: () => undefined,
    trace: context.terminal.trace,
    parallel: 1,
    folder: context.folders.state,
    jobFolder: jobFolderOf(context.folders.state, name),
  });
}
