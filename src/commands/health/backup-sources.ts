import { findNewest, findOverdue, findProven } from "../../backup/judge-sets.ts";
import type { Reading } from "../../system/reading.ts";
import { describeAge } from "../../system/quantities.ts";
import { readShelves } from "../backup/gather-sets.ts";
import type { Backups, Job } from "../backup/open-backups.ts";
import type { Source } from "./source.ts";

const LIMIT_MS = 20_000;
const EVERY_MS = 300_000;

/** Given what is configured of backups, return what can be asked of each job: how old its newest set and its last drill are. */
export function backupSources(backups: Backups, environment: string | undefined): Source[] {
  return backups
    .pick([])
    .filter(
      ({ job }) =>
        environment === undefined || backups.openPlace(job.service).environment === environment,
    )
    .map((job) => ({
      area: "backup",
      name: job.name,
      limitMs: LIMIT_MS,
      everyMs: EVERY_MS,
      read: (signal) => readJob(job, backups, signal),
    }));
}

async function readJob(job: Job, backups: Backups, signal: AbortSignal): Promise<Reading[]> {
  const { shelves, gaps } = await readShelves(backups, [job], { signal });
  const now = new Date();
  const overdue = findOverdue(shelves, job.job, { now, isWhole: gaps.length === 0 });
  const ageOf = (at: string): string => describeAge(now.getTime() - Date.parse(at));
  const newest = shelves
    .flatMap((shelf) => findNewest(shelf, now) ?? [])
    .toSorted((one, other) => (one.manifest.startedAt < other.manifest.startedAt ? -1 : 1))
    .at(-1);
  const proven = findProven(shelves);
  const ages = [
    newest ? `newest set ${ageOf(newest.manifest.startedAt)} old` : "no set",
    proven ? `proven ${ageOf(proven.report.at)} ago` : "not proven",
  ];
  return [
    {
      area: "backup",
      name: job.name,
      // What is overdue is known to be; what one destination alone tells is not all.
      state: overdue.length > 0 ? "warn" : gaps.length > 0 ? "unknown" : "ok",
      detail: [...(overdue.length > 0 ? overdue : ages), ...gaps].join("; "),
      ...(overdue.length > 0 && { next: "see lcops backup status" }),
    },
  ];
}
