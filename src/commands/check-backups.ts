import { findNewest, findOverdue } from "../backup/judge-sets.ts";
import type { Finding } from "../system/finding.ts";
import { describeWithNext } from "./backup/describe-with-next.ts";
import { readShelves } from "./backup/gather-sets.ts";
import { type Backups, type Job, withBackups } from "./backup/open-backups.ts";
import type { Context } from "./command.ts";

/** Look at the sets of every job of the environment of `--env`, of all where it is absent. */
export async function checkBackups(context: Context): Promise<Finding[]> {
  return withBackups(context, async (backups) => {
    const { environmentFlag } = context;
    const jobs = backups
      .pick([])
      .filter(
        ({ job }) =>
          environmentFlag === undefined ||
          backups.openPlace(job.service).environment === environmentFlag,
      );
    const findings: Finding[] = [];
    for (const job of jobs) findings.push(await checkJob(job, backups, context));
    return findings;
  });
}

async function checkJob(job: Job, backups: Backups, context: Context): Promise<Finding> {
  const about = { area: "backup", name: job.name };
  try {
    const { shelves, gaps } = await readShelves(backups, [job], context);
    const now = new Date();
    if (gaps.length > 0)
      return {
        ...about,
        state: "fail",
        detail: gaps.join("; "),
        next: "mend the way to that destination",
      };
    const overdue = findOverdue(shelves, job.job, { now, isWhole: true });
    const [newest] = shelves.flatMap((shelf) => findNewest(shelf, now) ?? []);
    return overdue.length === 0
      ? { ...about, state: "ok", detail: `${newest?.setId} at each destination, and proven` }
      : { ...about, state: "warn", detail: overdue.join("; "), next: "see lcops backup status" };
  } catch (error) {
    context.signal.throwIfAborted();
    return { ...about, state: "fail", detail: describeWithNext(error) };
  }
}
