import { findGarbage, type Garbage, GRACE_MS } from "../../backup/collect-garbage.ts";
import { takeJobLock } from "../../backup/job-lock.ts";
import { sweepRunFolders } from "../../backup/run-folder.ts";
import { forgetRun, listUnfinished } from "../../backup/unfinished-runs.ts";
import { describeError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { ChangePlan } from "../../system/gate.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { findExternals, type LeftExternal } from "./find-externals.ts";
import { type Backups, withBackups } from "./open-backups.ts";

/** What was found, under the locks of the jobs that nobody runs now. */
interface Found {
  garbage: readonly (Garbage & { job: string })[];
  externals: readonly LeftExternal[];
  unfinished: readonly { job: string; setId: string }[];
  gaps: readonly string[];
}

/** Given what was typed, do what `lcops backup gc` says and return the exit code. */
export function runGc(_input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { terminal } = context;
    const planned = await underLocks(backups, context, (found) => Promise.resolve(found));
    for (const gap of planned.gaps) terminal.warn(`lcops: ${printable(gap)}`);
    const wanted = [
      ...planned.garbage.flatMap(({ keys }) => keys),
      ...planned.externals.map(({ reference }) => reference.id),
    ];
    if (wanted.length > 0 && !(await context.gate(describePlan(planned)))) return 0;
    // Nobody held up a run meanwhile: what has become a set since is not removed, and what is new was not confirmed.
    const known = new Set(planned.unfinished.map(({ setId }) => setId));
    return underLocks(backups, context, (found) => {
      const unfinished = found.unfinished.filter(({ setId }) => known.has(setId));
      return sweep({ ...found, unfinished }, new Set(wanted), context);
    });
  });
}

/** Looks at what is there, and hands it to `work` while the locks are held. */
async function underLocks<T>(
  backups: Backups,
  context: Context,
  work: (found: Found) => Promise<T>,
): Promise<T> {
  const { folders, signal } = context;
  const garbage: (Garbage & { job: string })[] = [];
  const externals: LeftExternal[] = [];
  const unfinished: { job: string; setId: string }[] = [];
  const gaps: string[] = [];
  const releases: (() => Promise<void>)[] = [];
  try {
    for (const one of backups.pick([])) {
      const { name, job } = one;
      const release = await takeJobLock(folders.state, name);
      if (!release) {
        gaps.push(`${name}: a run of this job holds the lock; what it leaves is not looked for`);
        continue;
      }
      releases.push(release);
      const ours = await listUnfinished(folders.state, name);
      let isWhole = true;
      const stores = await backups.stores(job);
      for (const store of stores) {
        try {
          const options = { job: name, abandoned: new Set(ours), now: new Date() };
          garbage.push({ ...(await findGarbage(store, options)), job: name });
        } catch (error) {
          signal.throwIfAborted();
          gaps.push(`${store.name} (${store.place}): ${describeError(error)}`);
          isWhole = false;
        }
      }
      try {
        if (isWhole)
          externals.push(...(await findExternals(one, { stores, setIds: ours }, backups, context)));
      } catch (error) {
        signal.throwIfAborted();
        gaps.push(`${name}: what it has left at its service: ${describeError(error)}`);
        isWhole = false;
      }
      // What they have left where nobody answers is still theirs.
      if (isWhole) unfinished.push(...ours.map((setId) => ({ job: name, setId })));
    }
    return await work({ garbage, externals, unfinished, gaps });
  } finally {
    for (const release of releases) await release();
  }
}

/** Returns what gc is about to remove. Pure. */
export function describePlan({
  garbage,
  externals,
}: Pick<Found, "garbage" | "externals">): ChangePlan {
  const count = garbage.reduce((sum, { keys }) => sum + keys.length, externals.length);
  const bytes = garbage.reduce((sum, one) => sum + one.bytes, 0);
  return {
    title: `remove ${countOf(count, "object")} that no set has, ${describeBytes(bytes)}`,
    lines: [
      ...garbage
        .filter(({ keys }) => keys.length > 0)
        .flatMap(({ store, job, keys }) => [
          `of ${job} at ${store.name} (${store.place}):`,
          ...keys.slice(0, 10),
          ...(keys.length > 10 ? [`and ${keys.length - 10} more`] : []),
        ]),
      ...externals.map(({ job, reference }) => `of ${job}: ${reference.kind} ${reference.id}`),
    ],
    target: "garbage",
    danger: "destroys",
    // No set has it: nobody could restore it.
    isProduction: false,
  };
}

async function sweep(
  found: Found,
  wanted: ReadonlySet<string>,
  { terminal, folders, journal }: Context,
): Promise<number> {
  const removals = [
    ...found.garbage.flatMap(({ store, keys }) =>
      keys.filter((key) => wanted.has(key)).map((key) => () => store.remove(key)),
    ),
    ...found.externals
      .filter(({ reference }) => wanted.has(reference.id))
      .map(({ remove }) => remove),
  ];
  if (removals.length > 0) {
    const record = await journal({ change: describePlan(found).title });
    try {
      for (const remove of removals) await remove();
    } catch (error) {
      await record.end({ state: "failed", detail: describeError(error) });
      throw error;
    }
    await record.end({ state: "done" });
  }
  for (const { job, setId } of found.unfinished) await forgetRun(folders.state, job, setId);
  const uploads = await sweepUploads(found.garbage);
  const runs = await sweepRunFolders(folders.state);
  const removed = removals.length;
  if (terminal.flags.json) terminal.printJson({ removed, uploads, gaps: found.gaps });
  else if (removed + uploads + runs === 0) terminal.note("nothing is left of killed runs");
  else
    terminal.note(
      `${countOf(removed, "object")}, ${countOf(uploads, "unfinished upload")} and ${countOf(runs, "folder")} of runs removed`,
    );
  return found.gaps.length > 0 ? 3 : 0;
}

/** Each destination once, whatever its jobs. */
async function sweepUploads(found: readonly Garbage[]): Promise<number> {
  let swept = 0;
  for (const store of new Set(found.map((one) => one.store))) swept += await store.sweep(GRACE_MS);
  return swept;
}
