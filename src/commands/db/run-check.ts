import { applyBaseline, findGone, readBaseline } from "../../consistency/baseline.ts";
import { openBookmark } from "../../consistency/bookmark.ts";
import { type CheckReport, judgeReports } from "../../consistency/report.ts";
import { runChecks } from "../../consistency/run-checks.ts";
import { expandHome } from "../../config/folders.ts";
import type { Config } from "../../config/schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import type { Closers } from "./open-places.ts";
import { type Entry, openSubject, pickEntries } from "./open-subjects.ts";
import { readBudget, readChecks } from "./read-options.ts";
import { renderReports, type Subject } from "./render-reports.ts";

/** Given what was typed, do what `lcops db check` says and return the exit code. */
export async function runCheck(input: Input, context: Context): Promise<number> {
  const asked = readChecks(input.options["only"]);
  const budgetMs = readBudget(input.options["budget"]);
  const until = budgetMs === undefined ? undefined : performance.now() + budgetMs;
  const config = await context.config();
  const entries = pickEntries(input.operands, config, context.environmentFlag);
  for (const entry of entries) refuseUnconfigured(entry, input.options["only"], asked);
  // A baseline that cannot be read is no reason to find out late.
  const baselines = await Promise.all(
    entries.map(async ({ config: { baseline } }) =>
      baseline === undefined ? [] : readBaseline(expandHome(baseline)),
    ),
  );
  const release = await lockAll(entries, context);
  try {
    return await checkAll(entries, baselines, { asked, until }, input, config, context);
  } finally {
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

async function checkAll(
  entries: readonly Entry[],
  baselines: readonly Awaited<ReturnType<typeof readBaseline>>[],
  { asked, until }: { asked: ReturnType<typeof readChecks>; until: number | undefined },
  input: Input,
  config: Config,
  context: Context,
): Promise<number> {
  const subjects: Subject[] = [];
  const resume = input.options["resume"] === true;
  const now = new Date();
  for (const [index, entry] of entries.entries()) {
    const known = baselines[index] ?? [];
    const reports = (await checkOne(entry, { asked, until, resume }, config, context)).map((one) =>
      applyBaseline(one, known, now),
    );
    const gone = findGone(reports, known);
    subjects.push({ name: entry.name, service: entry.config.service, reports, gone });
  }
  const code = judgeReports(
    subjects.flatMap(({ reports }) => reports),
    input.options["only"] !== undefined,
  );
  renderReports(subjects, code, context);
  return code;
}

/** What nobody has configured cannot be asked for by name. */
function refuseUnconfigured(entry: Entry, only: unknown, asked: readonly string[]): void {
  if (only === undefined) return;
  for (const check of ["objects", "search", "items"] as const)
    if (asked.includes(check) && entry.config[check] === undefined)
      throw new OperatorError(
        "usage",
        `nothing is configured for the check ${check} of ${entry.name}`,
        {
          next: `see consistency in lcops.config.example.json, or leave ${check} away`,
        },
      );
}

async function checkOne(
  entry: Entry,
  options: {
    asked: ReturnType<typeof readChecks>;
    until: number | undefined;
    resume: boolean;
  },
  config: Config,
  context: Context,
): Promise<CheckReport[]> {
  const { terminal, signal, folders } = context;
  const closers: Closers = [];
  const progress = startProgress(terminal);
  try {
    const subject = [entry, config.services?.[entry.config.service], options.asked];
    const bookmark = await openBookmark(folders.state, entry.name, subject, options.resume);
    const reports = await runChecks(openSubject(entry, config, context, closers), {
      asked: options.asked,
      until: options.until,
      signal,
      update: (line) => progress.update(printable(line)),
      trace: terminal.trace,
      bookmark,
    });
    const isDone = reports.every(
      ({ state, skipped }) => state !== "skipped" && skipped.every(({ isLeft }) => !isLeft),
    );
    if (isDone) await bookmark.remove();
    return reports;
  } finally {
    progress.end();
    for (const close of closers.toReversed()) await close();
  }
}
