import { availableParallelism } from "node:os";
import { drillSet } from "../../backup/drill-set.ts";
import { isDamaged } from "../../backup/judge-sets.ts";
import { jobFolderOf } from "../../backup/job-folder.ts";
import { makeRunFolder } from "../../backup/run-folder.ts";
import { openSet } from "../../backup/read-set.ts";
import { type DrillReport, writeReport } from "../../backup/reports.ts";
import { describeWithNext } from "./describe-with-next.ts";
import type { ServiceConfig } from "../../config/schema.ts";
import type { Fact } from "../../services/set-content.ts";
import { printable } from "../../system/printable.ts";
import { countOf, describeAge } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { describeRows } from "./describe-rows.ts";
import { findSet } from "./gather-sets.ts";
import { type Backups, type Job, loadDriver, withBackups } from "./open-backups.ts";
import { programEnvironment } from "./program-environment.ts";
import { serviceTypeOf } from "../../services/registry.ts";

interface Drilled {
  job: string;
  setId?: string;
  report?: DrillReport;
  gap?: string;
}

/** Given what was typed, do what `lcops backup drill` says and return the exit code: 4 where a set could not be proven. */
export function runDrill(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const drilled: Drilled[] = [];
    for (const job of backups.pick(input.operands)) {
      const one = await drillNewest(job, backups, context).catch((error: unknown): Drilled => {
        context.signal.throwIfAborted();
        return { job: job.name, gap: describeWithNext(error) };
      });
      drilled.push(one);
      tell(one, job.service, context);
    }
    if (context.terminal.flags.json) context.terminal.printJson(drilled);
    return exitCodeOfDrills(drilled);
  });
}

/** Returns 4 where a drill has failed, 1 where none was done, 3 where one was not done or left something. Pure. */
export function exitCodeOfDrills(drilled: readonly Drilled[]): number {
  if (drilled.some(({ report }) => report?.verdict === "failed")) return 4;
  const open = drilled.filter(
    ({ report, gap }) => report?.verdict !== "proven" || (report.left ?? gap) !== undefined,
  );
  if (open.length === 0) return 0;
  return open.length === drilled.length && open.every(({ report }) => !report) ? 1 : 3;
}

async function drillNewest(job: Job, backups: Backups, context: Context): Promise<Drilled> {
  const { copies, bad } = await findSet(backups, job.name, context);
  // Another destination's copy where one is damaged: the drill of a set is that of its best copy.
  const [set] = copies;
  if (!set) return { job: job.name, gap: bad[0]?.problem ?? "there is no set" };
  const { startProgress } = await import("../../terminal/progress.ts");
  const progress = startProgress(context.terminal);
  const folder = await makeRunFolder(context.folders.state);
  const environment = await programEnvironment(context);
  const { signal } = context;
  try {
    const report = await drillSet(
      openSet(set, { environment, signal, identities: backups.identities }),
      {
        job: job.job,
        driver: await loadDriver(job.service, job.job.service),
        environment,
        signal,
        update: (line) => progress.update(printable(line)),
        trace: context.terminal.trace,
        parallel: Math.max(2, Math.min(4, availableParallelism())),
        folder: folder.path,
        jobFolder: jobFolderOf(context.folders.state, job.name),
        origin: backups.openPlace(job.job.service),
        ...(job.job.scratch !== undefined && { configured: backups.openPlace(job.job.scratch) }),
      },
    );
    // A drill takes long: what it has found is said, though one destination does not keep it.
    const gaps: string[] = [];
    for (const copy of copies.filter((one) => one === set || !isDamaged(one.reports)))
      await writeReport(copy.store, copy, report).catch((error: unknown) => {
        signal.throwIfAborted();
        gaps.push(`its report is not kept at ${copy.store.name}: ${describeWithNext(error)}`);
      });
    const gap = gaps.length > 0 ? { gap: gaps.join("; ") } : {};
    return { job: job.name, setId: set.setId, report, ...gap };
  } finally {
    progress.end();
    await folder.remove();
  }
}

/** Given what a drill has found, tell it. */
export function tell(
  { job, setId, report, gap }: Drilled,
  service: ServiceConfig,
  { terminal }: Pick<Context, "terminal">,
): void {
  if (!report) return terminal.warn(`lcops: ${job} is not drilled: ${printable(gap ?? "")}`);
  const { verdict, reason = "", facts, rows, tookMs, scratch = "", differences, left } = report;
  if (gap !== undefined) terminal.warn(`lcops: ${job}: the drill of ${setId}: ${printable(gap)}`);
  if (left !== undefined)
    terminal.warn(
      `lcops: ${job}: the drill of ${setId} has left ${printable(left)}; the next one removes it`,
    );
  if (verdict === "not drilled")
    return terminal.warn(`lcops: ${job}: ${setId} is not drilled: ${printable(reason)}`);
  if (verdict === "failed") {
    terminal.warn(`lcops: ${job}: the drill of ${setId} has failed: ${printable(reason)}`);
    for (const { expected, found } of differences.slice(0, 10)) {
      const describe = (fact: Fact): string =>
        `${fact.rows === undefined ? "not counted" : describeRows(fact.rows, service)}, ${fact.checksum ?? "no checksum"}`;
      const then = describe(expected);
      const now = found ? describe(found) : "missing";
      terminal.warn(`  ${printable(`${expected.object}: ${then}; restored: ${now}`)}`);
    }
    return undefined;
  }
  const counted = describeRows(rows, service);
  // Each object of a bucket is counted once.
  const all =
    serviceTypeOf(service.kind).counts === "object"
      ? counted
      : `${countOf(facts, "object")} and ${counted}`;
  return terminal.note(
    `${job}: ${setId} is proven: ${all} as they were, restored in ${describeAge(tookMs)} into ${printable(scratch)}`,
  );
}
