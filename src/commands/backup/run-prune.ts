import { type Decision, planRetention } from "../../backup/plan-retention.ts";
import { removeSet } from "../../backup/remove-set.ts";
import type { Report } from "../../backup/reports.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { describeBytes } from "../../terminal/quantities.ts";
import type { Context, Input } from "../command.ts";
import { gatherSets, type Shelf } from "./gather-sets.ts";
import { type Backups, type Job, loadDriver, withBackups } from "./open-backups.ts";
import { lastOf } from "./run-list.ts";

/** A drill that is older says little of what is stored now. */
export const USUAL_DRILL_DAYS = 35;

interface Pruning {
  shelf: Shelf;
  decisions: readonly Decision[];
}

/** Given what was typed, do what `lcops backup prune` says and return the exit code. */
export function runPrune(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const codes: number[] = [];
    for (const job of backups.pick(input.operands))
      codes.push(await pruneJob(job, backups, context));
    const [first = 0] = codes;
    if (codes.every((code) => code === first)) return first;
    return 3;
  });
}

async function pruneJob(job: Job, backups: Backups, context: Context): Promise<number> {
  const { terminal } = context;
  const { takeJobLock } = await import("../../backup/job-lock.ts");
  const release = await takeJobLock(context.folders.state, job.name);
  if (!release) {
    terminal.warn(`lcops: ${job.name}: a run of this job holds the lock; wait for it`);
    return 6;
  }
  try {
    const { shelves, gaps } = await gatherSets(backups, [job], context);
    const now = new Date();
    const planned = shelves.map((shelf) => ({
      shelf,
      decisions: planRetention(
        shelf.sets.map(({ setId, manifest, reports }) => ({
          setId,
          at: new Date(manifest.startedAt),
          result: manifest.result,
          isProven: lastOf(reports, "drill")?.verdict === "proven",
        })),
        { keep: job.job.keep, timeZone: backups.settings.timeZone ?? "UTC", now },
      ),
    }));
    const removed = planned.flatMap(({ shelf, decisions }) =>
      decisions.filter(({ keep }) => !keep).map((decision) => ({ shelf, decision })),
    );
    if (removed.length === 0) {
      if (terminal.flags.json) terminal.printJson({ job: job.name, removed: [], gaps });
      else terminal.note(`${job.name}: there is nothing to remove`);
      return gaps.length > 0 ? 3 : 0;
    }
    for (const { shelf, decisions } of planned)
      if (decisions.some(({ keep }) => !keep)) refuseUnproven(shelf, job, now);
    const bytes = removed.reduce((sum, { shelf, decision }) => sum + sizeOf(shelf, decision), 0);
    const plan = {
      title: `remove ${removed.length} of ${planned.reduce((sum, { decisions }) => sum + decisions.length, 0)} sets of ${job.name}, ${describeBytes(bytes)}`,
      lines: planned.flatMap(describePruning),
      target: job.name,
      danger: "destroys" as const,
      isProduction: backups.isProduction(job.job.service),
    };
    if (!(await context.gate(plan))) return 0;
    const record = await context.journal({
      change: `${plan.title}: ${removed.map(({ decision }) => decision.setId).join(", ")}`,
    });
    try {
      for (const { shelf, decision } of removed)
        await remove(shelf, decision, job, backups, context);
    } catch (error) {
      await record.end({ state: "failed", detail: describeError(error) });
      throw error;
    }
    await record.end({ state: "done" });
    if (terminal.flags.json)
      terminal.printJson({
        job: job.name,
        removed: removed.map(({ shelf, decision }) => ({
          setId: decision.setId,
          at: shelf.store.name,
        })),
        gaps,
      });
    else terminal.note(`${job.name}: ${removed.length} sets removed`);
    return gaps.length > 0 ? 3 : 0;
  } finally {
    await release();
  }
}

/** What is left must be known to be good: throws `refused` where the newest complete set was not verified, or nothing was proven of late. */
function refuseUnproven({ store, sets }: Shelf, { name, job }: Job, now: Date): void {
  const where = `${name} at ${store.name}`;
  const newest = sets.findLast(({ manifest }) => manifest.result === "complete");
  const verified = lastOf(newest?.reports ?? [], "verify");
  if (!newest || !verified?.ok || verified.level === "sizes") {
    throw new OperatorError(
      "refused",
      `${where}: the newest set was not verified, and nothing is removed before`,
      { next: `lcops backup verify ${name}` },
    );
  }
  const days = job.drillDays ?? USUAL_DRILL_DAYS;
  const drills = sets.flatMap(({ reports }) =>
    reports.filter((report: Report) => report.kind === "drill" && report.verdict === "proven"),
  );
  const isRecent = drills.some(({ at }) => {
    const age = now.getTime() - Date.parse(at);
    return age < days * 24 * 3_600_000 && age > -5 * 60_000;
  });
  if (isRecent) return;
  throw new OperatorError(
    "refused",
    `${where}: no drill of the last ${days} days has proven a set, and nothing is removed before`,
    { next: `lcops backup drill ${name}` },
  );
}

const sizeOf = ({ sets }: Shelf, { setId }: Decision): number =>
  sets.find((set) => set.setId === setId)?.manifest.totals.storedBytes ?? 0;

function describePruning({ shelf, decisions }: Pruning): string[] {
  return [
    `at ${shelf.store.name} (${shelf.store.place}):`,
    ...decisions.map(
      ({ setId, keep, reasons }) => `${keep ? "keep  " : "remove"} ${setId}  ${reasons.join(", ")}`,
    ),
  ];
}

async function remove(
  { store, sets }: Shelf,
  { setId }: Decision,
  { name, job, service }: Job,
  backups: Backups,
  context: Context,
): Promise<void> {
  const external = sets.find((set) => set.setId === setId)?.manifest.external;
  if (external) {
    const driver = await loadDriver(service, job.service);
    await driver.external?.remove(external, backups.openPlace(job.service), {
      job,
      environment: await context.childEnvironment(),
      signal: context.signal,
      update: () => undefined,
      trace: context.terminal.trace,
      parallel: 1,
      folder: context.folders.state,
    });
  }
  await removeSet(store, name, setId);
  context.terminal.trace(printable(`${setId} is removed at ${store.name}`));
}
