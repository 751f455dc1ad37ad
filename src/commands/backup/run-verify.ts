import { describeShrinkage } from "../../backup/find-shrinkage.ts";
import type { StoredSet } from "../../backup/list-sets.ts";
import { type Level, LEVELS, type VerifyReport, writeReport } from "../../backup/reports.ts";
import { jobFolderOf } from "../../backup/job-folder.ts";
import { openSet } from "../../backup/read-set.ts";
import { verifySet } from "../../backup/verify-set.ts";
import type { DriverOptions } from "../../services/backup-driver.ts";
import { OperatorError } from "../../system/errors.ts";
import { describeWithNext } from "./describe-with-next.ts";
import { printable } from "../../system/printable.ts";
import type { Context, Input } from "../command.ts";
import { findSet } from "./gather-sets.ts";
import { type Backups, type Job, loadDriver, withBackups } from "./open-backups.ts";
import { programEnvironment } from "./program-environment.ts";

interface Verdict {
  job: string;
  setId: string;
  /** The destination; absent where it does not answer, and `gap` names it. */
  at?: string;
  report?: VerifyReport;
  /** The snapshot that it stands for: the service was asked for it, and nobody has read its bytes. */
  unread?: string;
  /** Why nothing could be found out, or the report is not kept. */
  gap?: string;
}

/** Given what was typed, do what `lcops backup verify` says and return the exit code. */
export function runVerify(input: Input, context: Context): Promise<number> {
  const level = readLevel(input.options["level"]);
  return withBackups(context, async (backups) => {
    const verdicts: Verdict[] = [];
    for (const name of input.operands)
      verdicts.push(...(await verifyOne(name, level, backups, context)));
    const all = input.operands.length === 0 ? backups.pick([]) : [];
    for (const { name } of all)
      verdicts.push(
        ...(await verifyOne(name, level, backups, context).catch((error: unknown) => {
          // A job without a set yet keeps none of the others from being looked at.
          if (!(error instanceof OperatorError && error.kind === "usage")) throw error;
          const verdict = { job: name, setId: name, gap: describeWithNext(error) };
          tell(verdict, level, context);
          return [verdict];
        })),
      );
    if (context.terminal.flags.json) context.terminal.printJson(verdicts);
    return exitCodeOfVerdicts(verdicts);
  });
}

/** Returns 4 where damage was found, 1 where nothing could be found out, 3 where that is so of a part. Pure. */
export function exitCodeOfVerdicts(verdicts: readonly Pick<Verdict, "report" | "gap">[]): number {
  if (verdicts.some(({ report }) => report && !report.ok)) return 4;
  const gaps = verdicts.filter(({ gap }) => gap !== undefined);
  if (gaps.length === 0) return 0;
  return gaps.every(({ report }) => !report) && gaps.length === verdicts.length ? 1 : 3;
}

/** Returns the level that `--level` names, hashes where it is absent. Throws `usage`. Pure. */
export function readLevel(given: unknown): Level {
  const level = LEVELS.find((one) => one === (given ?? "hashes"));
  if (level) return level;
  throw new OperatorError("usage", `there is no level ${String(given)}`, {
    next: `choose one of ${LEVELS.join(", ")}`,
  });
}

async function verifyOne(
  name: string,
  level: Level,
  backups: Backups,
  context: Context,
): Promise<Verdict[]> {
  const { job, copies, bad, gaps } = await findSet(backups, name, context);
  const verdicts: Verdict[] = [];
  for (const { setId, store, problem } of bad) {
    const report: VerifyReport = {
      kind: "verify",
      at: new Date().toISOString(),
      level,
      ok: false,
      findings: [problem],
      tookMs: 0,
    };
    verdicts.push({ job: job.name, setId, at: store.name, report });
  }
  for (const set of copies) verdicts.push(await verifyCopy(set, job, level, backups, context));
  // It is whole, and may be what nobody wanted.
  for (const line of describeShrinkage(copies[0]?.manifest.warnings ?? []))
    context.terminal.warn(`lcops: ${job.name}: ${copies[0]?.setId}: ${printable(line)}`);
  for (const verdict of verdicts) tell(verdict, level, context);
  // Told already: of a destination that does not answer nothing was found out.
  const setId = copies[0]?.setId ?? bad[0]?.setId ?? name;
  return [...verdicts, ...gaps.map((gap) => ({ job: job.name, setId, gap }))];
}

async function verifyCopy(
  set: StoredSet,
  { name, job, service }: Job,
  level: Level,
  backups: Backups,
  context: Context,
): Promise<Verdict> {
  const { startProgress } = await import("../../terminal/progress.ts");
  const progress = startProgress(context.terminal);
  const about = { job: name, setId: set.setId, at: set.store.name };
  try {
    const driver = await loadDriver(service, job.service);
    const readOptions = {
      identities: backups.identities,
      environment: await programEnvironment(context),
      signal: context.signal,
    };
    const options: DriverOptions = {
      ...readOptions,
      job,
      update: progress.update,
      trace: context.terminal.trace,
      parallel: 1,
      folder: context.folders.state,
      jobFolder: jobFolderOf(context.folders.state, name),
    };
    const place = backups.openPlace(job.service);
    const report = await verifySet(set, {
      ...readOptions,
      level,
      driver,
      update: progress.update,
      lookElsewhere: async () =>
        (await driver.verifyElsewhere?.(openSet(set, readOptions), place, level, options)) ?? {
          findings: [],
        },
    });
    const { external } = set.manifest;
    if (external && driver.external) {
      const problem = await driver.external.verify(external, place, options);
      if (problem !== undefined) {
        report.ok = false;
        report.findings = [...report.findings, problem];
      }
    }
    // What was found is said all the same: a full disk, or keys that only read, must not hide damage.
    const gap = await writeReport(set.store, set, report).then(
      () => undefined,
      (error: unknown) => `its report is not kept: ${describeWithNext(error)}`,
    );
    return {
      ...about,
      report,
      ...(external && { unread: external.id }),
      ...(gap !== undefined && { gap }),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    return { ...about, gap: describeWithNext(error) };
  } finally {
    progress.end();
  }
}

/** Given what was found out about a copy, tell it. */
export function tell(
  { setId, job, at, report, unread, gap }: Verdict,
  level: Level,
  { terminal }: Pick<Context, "terminal">,
): void {
  const about = at === undefined ? job : `${job}: ${setId} at ${at}`;
  if (gap !== undefined && report) terminal.warn(`lcops: ${about}: ${printable(gap)}`);
  if (gap !== undefined && !report)
    terminal.warn(`lcops: ${about} is not verified: ${printable(gap)}`);
  else if (report?.ok)
    terminal.note(
      `${about} is whole (${level})${describeUnhashed(report)}${describeUnread(unread)}`,
    );
  else
    for (const finding of report?.findings ?? [])
      terminal.warn(`lcops: ${about}: ${printable(finding)}`);
}

function describeUnread(snapshot: string | undefined): string {
  if (snapshot === undefined) return "";
  return `; the snapshot ${printable(snapshot)} is there and complete, as its service says: of its bytes none was read`;
}

/** What was read, and could be compared with nothing but its size. Pure. */
function describeUnhashed({ readBack }: VerifyReport): string {
  if (!readBack || readBack.unhashed === 0) return "";
  const { objects, unhashed } = readBack;
  return `; of ${unhashed} of the ${objects} objects that were read no hash is known: their bytes were counted`;
}
