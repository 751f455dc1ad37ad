import { findGarbage, type Garbage, GRACE_MS } from "../../backup/collect-garbage.ts";
import { takeJobLock } from "../../backup/job-lock.ts";
import { sweepRunFolders } from "../../backup/run-folder.ts";
import { forgetRun, listUnfinished } from "../../backup/unfinished-runs.ts";
import { describeError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { describeBytes } from "../../terminal/quantities.ts";
import type { Context, Input } from "../command.ts";
import { withBackups } from "./open-backups.ts";

/** Given what was typed, do what `lcops backup gc` says and return the exit code. */
export function runGc(_input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { terminal, folders } = context;
    const found: (Garbage & { job: string })[] = [];
    const unfinished: { job: string; setId: string }[] = [];
    const releases: (() => Promise<void>)[] = [];
    const gaps: string[] = [];
    try {
      for (const { name, job } of backups.pick([])) {
        const release = await takeJobLock(folders.state, name);
        if (!release) {
          gaps.push(`${name}: a run of this job holds the lock; what it leaves is not looked for`);
          continue;
        }
        releases.push(release);
        const ours = await listUnfinished(folders.state, name);
        unfinished.push(...ours.map((setId) => ({ job: name, setId })));
        for (const store of await backups.stores(job)) {
          try {
            const options = { job: name, abandoned: new Set(ours), now: new Date() };
            found.push({ ...(await findGarbage(store, options)), job: name });
          } catch (error) {
            context.signal.throwIfAborted();
            gaps.push(`${store.name} (${store.place}): ${describeError(error)}`);
          }
        }
      }
      for (const gap of gaps) terminal.warn(`lcops: ${printable(gap)}`);
      const garbage = found.filter(({ keys }) => keys.length > 0);
      const count = garbage.reduce((sum, { keys }) => sum + keys.length, 0);
      const bytes = garbage.reduce((sum, one) => sum + one.bytes, 0);
      if (count > 0) {
        const plan = {
          title: `remove ${count} objects that no set has, ${describeBytes(bytes)}`,
          lines: garbage.flatMap(({ store, job, keys }) => [
            `of ${job} at ${store.name} (${store.place}):`,
            ...keys.slice(0, 10),
            ...(keys.length > 10 ? [`and ${keys.length - 10} more`] : []),
          ]),
          target: "garbage",
          danger: "destroys" as const,
          // No set has it: nobody could restore it.
          isProduction: false,
        };
        if (!(await context.gate(plan))) return 0;
        const record = await context.journal({ change: plan.title });
        try {
          for (const { store, keys } of garbage) for (const key of keys) await store.remove(key);
        } catch (error) {
          await record.end({ state: "failed", detail: describeError(error) });
          throw error;
        }
        await record.end({ state: "done" });
      }
      for (const { job, setId } of unfinished) await forgetRun(folders.state, job, setId);
      const uploads = await sweepUploads(found);
      const folders_ = await sweepRunFolders(folders.state);
      if (terminal.flags.json) terminal.printJson({ removed: count, bytes, uploads, gaps });
      else if (count + uploads + folders_ === 0) terminal.note("nothing is left of killed runs");
      else
        terminal.note(
          `${count} objects, ${uploads} unfinished uploads and ${folders_} folders of runs removed`,
        );
      return gaps.length > 0 ? 3 : 0;
    } finally {
      for (const release of releases) await release();
    }
  });
}

/** Each destination once, whatever its jobs. */
async function sweepUploads(found: readonly Garbage[]): Promise<number> {
  let swept = 0;
  for (const store of new Set(found.map((one) => one.store))) swept += await store.sweep(GRACE_MS);
  return swept;
}
