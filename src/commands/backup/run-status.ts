import { describeShrinkage } from "../../backup/find-shrinkage.ts";
import { findNewest, findOverdue, findProven } from "../../backup/judge-sets.ts";
import type { DrillReport } from "../../backup/reports.ts";
import type { Store } from "../../backup/store.ts";
import { serviceTypeOf } from "../../services/registry.ts";
import { printable } from "../../system/printable.ts";
import { describeAge, describeBytes } from "../../system/quantities.ts";
import { drawSparkline } from "../../terminal/sparkline.ts";
import { printTable } from "../../terminal/table.ts";
import type { Context, Input } from "../command.ts";
import { gatherSets, type Shelf } from "./gather-sets.ts";
import { type Backups, type Job, withBackups } from "./open-backups.ts";
import { describeDrill } from "./run-list.ts";

const SHOWN_SETS = 12;
const PROBE_MS = 5_000;

/** One cell of the matrix: the newest complete set of a job at a destination. */
interface Copy {
  at: string;
  place: string;
  /** `unknown`: the destination does not answer. */
  state: "known" | "unknown";
  newest?: { setId: string; startedAt: string; storedBytes: number };
}

interface JobStatus {
  job: string;
  service: string;
  /** Whether the server's own and the operator's own answer; absent: there is none. */
  live: { server: boolean; operator?: boolean };
  copies: Copy[];
  proven?: { setId: string; report: DrillReport };
  trend: number[];
  overdue: string[];
  /** What of the newest set has suddenly shrunk. */
  shrunk: string[];
}

/** Given what was typed, do what `lcops backup status` says and return the exit code: 4 where something is overdue. */
export function runStatus(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { terminal } = context;
    const jobs = backups.pick(input.operands);
    const { shelves, gaps } = await gatherSets(backups, jobs, context);
    const now = new Date();
    const statuses = await Promise.all(
      jobs.map(async (job) =>
        describeJob(
          job,
          shelves.filter((shelf) => shelf.job === job),
          await backups.stores(job.job),
          await askLive(job, backups, context),
          now,
        ),
      ),
    );
    if (terminal.flags.json) terminal.printJson({ gaps, jobs: statuses });
    else renderStatus(statuses, context, now);
    for (const { job, shrunk } of statuses)
      for (const line of shrunk) terminal.warn(`lcops: ${job}: the newest set: ${printable(line)}`);
    return exitCodeOfStatus(statuses, gaps);
  });
}

/** Returns 4 where something is overdue, 3 where a destination does not answer. Pure. */
export function exitCodeOfStatus(
  statuses: readonly Pick<JobStatus, "overdue">[],
  gaps: readonly string[],
): number {
  if (statuses.some(({ overdue }) => overdue.length > 0)) return 4;
  return gaps.length > 0 ? 3 : 0;
}

/** Returns how a job is, given what was read of its destinations and who answers. Pure. */
export function describeJob(
  job: Job,
  shelves: readonly Shelf[],
  stores: readonly Pick<Store, "name" | "place">[],
  live: JobStatus["live"],
  now: Date,
): JobStatus {
  const copies = stores.map(({ name, place }): Copy => {
    const shelf = shelves.find(({ store }) => store.name === name);
    const newest = shelf && findNewest(shelf, now);
    return {
      at: name,
      place,
      state: shelf ? "known" : "unknown",
      ...(newest && {
        newest: {
          setId: newest.setId,
          startedAt: newest.manifest.startedAt,
          storedBytes: newest.manifest.totals.storedBytes,
        },
      }),
    };
  });
  const proven = findProven(shelves);
  const [longest = []] = shelves
    .map(({ sets }) => sets.filter(({ manifest }) => manifest.result === "complete"))
    .toSorted((one, other) => other.length - one.length);
  return {
    job: job.name,
    service: job.job.service,
    live,
    copies,
    ...(proven && { proven: { setId: proven.set.setId, report: proven.report } }),
    trend: longest.slice(-SHOWN_SETS).map(({ manifest }) => manifest.totals.storedBytes),
    shrunk: describeShrinkage(
      shelves
        .flatMap((shelf) => findNewest(shelf, now) ?? [])
        .toSorted((one, other) => (one.setId < other.setId ? -1 : 1))
        .at(-1)?.manifest.warnings ?? [],
    ),
    overdue: findOverdue(shelves, job.job, { now, isWhole: shelves.length === stores.length }),
  };
}

async function askLive(
  { job }: Job,
  backups: Backups,
  context: Context,
): Promise<JobStatus["live"]> {
  const [server, operator] = await Promise.all([
    answers(job.service, backups, context),
    job.copy === undefined ? undefined : answers(job.copy, backups, context),
  ]);
  return { server, ...(operator !== undefined && { operator }) };
}

/** Whether a service answers now; that it does not is what the matrix shows, and no error. */
async function answers(name: string, backups: Backups, context: Context): Promise<boolean> {
  try {
    const place = backups.openPlace(name);
    const type = serviceTypeOf(place.config.kind);
    const { signal } = context;
    if (type.answers) return await type.answers(place, signal);
    return (await type.probe(await place.endpoint(), place.config, { timeoutMs: PROBE_MS, signal }))
      .answers;
  } catch {
    context.signal.throwIfAborted();
    return false;
  }
}

/** Given how jobs are, show it as a table; on a screen what is overdue stands below it. */
export function renderStatus(
  statuses: readonly JobStatus[],
  { terminal }: Pick<Context, "terminal">,
  now: Date,
): void {
  const cell = (status: JobStatus, at: string): string => {
    const copy = status.copies.find((one) => one.at === at);
    if (!copy) return "-";
    if (copy.state === "unknown") return "NO ANSWER";
    if (!copy.newest) return "none";
    const age = describeAge(now.getTime() - Date.parse(copy.newest.startedAt));
    return `${describeBytes(copy.newest.storedBytes)}, ${age} ago`;
  };
  const live = (isUp: boolean | undefined): string =>
    isUp === undefined ? "-" : isUp ? "answers" : "NO ANSWER";
  printTable(terminal, statuses, [
    { title: "JOB", value: ({ job }) => job },
    { title: "LIVE", value: (status) => live(status.live.server) },
    { title: "SERVER", value: (status) => cell(status, "server") },
    { title: "OWN LIVE", value: (status) => live(status.live.operator) },
    { title: "OPERATOR", value: (status) => cell(status, "operator") },
    { title: "PROVEN", value: ({ proven }) => describeDrill(proven?.report) },
    { title: "TREND", value: ({ trend }) => drawSparkline(trend) },
    // On a screen it would be cut; it stands below then.
    ...(terminal.isScreen
      ? []
      : [{ title: "OVERDUE", value: ({ overdue }: JobStatus) => overdue.join("; ") }]),
  ]);
  if (!terminal.isScreen) return;
  for (const { job, overdue } of statuses)
    for (const line of overdue) terminal.print(terminal.out.red(printable(`${job}: ${line}`)));
}
