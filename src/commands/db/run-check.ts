import { applyBaseline, findGone, readBaseline } from "../../consistency/baseline.ts";
import { openBookmark } from "../../consistency/bookmark.ts";
import { type CheckReport, judgeReports } from "../../consistency/report.ts";
import { limitTime } from "../../consistency/limit-time.ts";
import { runChecks } from "../../consistency/run-checks.ts";
import { expandHome } from "../../config/folders.ts";
import type { Config } from "../../config/schema.ts";
import { withServices } from "../../reach/open-service.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { type Entry, findLeftOut, openSubject, pickEntries } from "./open-subjects.ts";
import { readBudget } from "./read-budget.ts";
import { renderReports, type Subject } from "./render-reports.ts";

/** Given what was typed, do what `lcops db check` says and return the exit code. */
export async function runCheck(input: Input, context: Context): Promise<number> {
  const budgetMs = readBudget(input.options["budget"]);
  const until = budgetMs === undefined ? undefined : performance.now() + budgetMs;
  const config = await context.config();
  const entries = pickEntries(input.operands, config, context.environmentFlag);
  // A baseline that cannot be read is no reason to find out late.
  const baselines = await Promise.all(
    entries.map(async ({ config: { baseline } }) =>
      baseline === undefined ? [] : readBaseline(expandHome(baseline)),
    ),
  );
  const release = await lockAll(entries, context);
  const limit = limitTime(context.signal, until);
  try {
    const options = { until, resume: input.options["resume"] === true };
    const limited = endBy(limit.signal, context);
    const subjects: Subject[] = [];
    const now = new Date();
    for (const [index, entry] of entries.entries()) {
      const known = baselines[index] ?? [];
      const reports = await checkOne(entry, options, config, limited);
      const told = reports.map((one) => applyBaseline(one, known, now));
      const gone = findGone(told, known);
      subjects.push({ name: entry.name, service: entry.config.service, reports: told, gone });
    }
    const code = judgeReports(subjects.flatMap(({ reports }) => reports));
    const leftOut =
      input.operands.length > 0 ? [] : findLeftOut(entries, config, context.environmentFlag);
    renderReports(subjects, code, context, leftOut);
    return code;
  } finally {
    limit.clear();
    await release();
  }
}

/** Before the first of them: what one has found is not thrown away since another is being checked. */
async function lockAll(
  entries: readonly Entry[],
  { folders }: Context,
): Promise<() => Promise<void>> {
  const held: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const one of held.splice(0)) await one();
  };
  for (const { name } of entries) {
    const one = await takeKernelLock(`${folders.state}/consistency/${name}`);
    if (one) held.push(one);
    else {
      await release();
      throw new OperatorError("locked", `${name} is being checked by another run`, {
        next: "wait for it",
      });
    }
  }
  return release;
}

/** The same for what the limit ends as well as a stop. */
function endBy(signal: AbortSignal, context: Context): Context {
  return { ...context, signal, reach: async () => ({ ...(await context.reach()), signal }) };
}

async function checkOne(
  entry: Entry,
  options: { until: number | undefined; resume: boolean },
  config: Config,
  context: Context,
): Promise<CheckReport[]> {
  const { terminal, signal, folders } = context;
  const progress = startProgress(terminal);
  try {
    // Whatever it looks at, and the way there.
    const subject = [entry, config.services, config.hosts, config.environments];
    const bookmark = await openBookmark(folders.state, entry.name, subject, options.resume);
    const reports = await withServices(config, context, (open) =>
      runChecks(openSubject(entry, config, context, open), {
        until: options.until,
        signal,
        update: (line) => progress.update(printable(line)),
        trace: terminal.trace,
        bookmark,
      }),
    );
    const isDone = reports.every(
      ({ state, skipped }) => state !== "skipped" && skipped.every(({ isLeft }) => !isLeft),
    );
    if (isDone) await bookmark.remove();
    return reports;
  } finally {
    progress.end();
  }
}
