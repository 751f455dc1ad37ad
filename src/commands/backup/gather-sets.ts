import { isDamaged } from "../../backup/judge-sets.ts";
import type { BadManifest, StoredSet } from "../../backup/list-sets.ts";
import { type Report, readReports } from "../../backup/reports.ts";
import { readMoment, readSetTime } from "../../backup/set-id.ts";
import type { Store } from "../../backup/store.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context } from "../command.ts";
import type { Backups, Job } from "./open-backups.ts";

/** The sets of a job at one destination. */
export interface Shelf {
  job: Job;
  store: Store;
  sets: readonly (StoredSet & { reports: readonly Report[] })[];
  bad: readonly BadManifest[];
}

/** Given jobs, return what is at each of their destinations. One that does not answer is told, and in `gaps`: what is there is not known then. */
export async function gatherSets(
  backups: Backups,
  jobs: readonly Job[],
  context: Context,
): Promise<{ shelves: Shelf[]; gaps: string[] }> {
  const read = await readShelves(backups, jobs, context);
  for (const gap of read.gaps) context.terminal.warn(`lcops: ${printable(gap)}`);
  return read;
}

/** The same for who tells of the gaps in words of its own. */
export async function readShelves(
  backups: Backups,
  jobs: readonly Job[],
  { signal }: Pick<Context, "signal">,
): Promise<{ shelves: Shelf[]; gaps: string[] }> {
  const { listSets } = await import("../../backup/list-sets.ts");
  const gaps: string[] = [];
  const shelves: Shelf[] = [];
  for (const job of jobs) {
    for (const store of await backups.stores(job.job)) {
      try {
        const { sets, bad } = await listSets(store, job.name);
        const read = await Promise.all(
          sets.map(async (set) => ({
            ...set,
            reports: await readReports(store, set.job, set.setId),
          })),
        );
        shelves.push({ job, store, sets: read, bad });
      } catch (error) {
        signal.throwIfAborted();
        gaps.push(`${store.name} (${store.place}): ${describeError(error)}`);
      }
    }
  }
  return { shelves, gaps: [...new Set(gaps)] };
}

/** Given the name of a set, of a job for its newest, or `JOB@TIME` for its newest then, return it at each destination that has it, copies that were found damaged last. Throws `usage` where none has. */
export async function findSet(
  backups: Backups,
  name: string,
  context: Context,
): Promise<{ job: Job; copies: Shelf["sets"][number][]; bad: BadManifest[]; gaps: string[] }> {
  const jobs = backups.pick([]);
  const [jobName, moment] = splitMoment(name);
  const asJob = jobs.find((job) => job.name === jobName);
  const isBefore = (setId: string): boolean =>
    moment === undefined || (readSetTime(setId) ?? moment) <= moment;
  const { shelves, gaps } = await gatherSets(backups, asJob ? [asJob] : jobs, context);
  const newest = asJob
    ? // One whose manifest is damaged is the newest too: an older one that is whole does not hide it.
      shelves
        .flatMap(({ sets, bad }) => [...sets, ...bad].map(({ setId }) => setId))
        .filter(isBefore)
        .toSorted()
        .at(-1)
    : name;
  const copies = shelves
    .flatMap(({ sets }) => sets.filter(({ setId }) => setId === newest))
    // Whoever reads one of them takes the first.
    .toSorted((one, other) => Number(isDamaged(one.reports)) - Number(isDamaged(other.reports)));
  const bad = shelves.flatMap((shelf) => shelf.bad.filter(({ setId }) => setId === newest));
  const [first] = [...copies, ...bad];
  const job = jobs.find((one) => one.name === first?.job);
  if (first && job) return { job, copies, bad, gaps };
  const missing = gaps.length > 0 ? ", and not every destination answers" : "";
  throw new OperatorError(
    "usage",
    asJob && moment === undefined
      ? `the job ${name} has no set yet${missing}`
      : `there is no set ${name}${missing}`,
    { next: asJob && moment === undefined ? `lcops backup run ${name}` : "see lcops backup list" },
  );
}

/** No name of a job or a set has an @. */
function splitMoment(name: string): [job: string, moment?: Date] {
  const at = name.indexOf("@");
  if (at === -1) return [name];
  const moment = readMoment(name.slice(at + 1));
  if (moment) return [name.slice(0, at), moment];
  throw new OperatorError("usage", `${name.slice(at + 1)} is no time`, {
    next: "a day or a minute of UTC is expected, 2026-01-31 or 2026-01-31T02:15",
  });
}
