import type { Server } from "../services/mysql/open-server.ts";
import { describeError } from "../system/errors.ts";
import { readHealth } from "../services/mysql/read-replication.ts";
import { type BookmarkPart, passWhole } from "./bookmark.ts";
import { checkHealth } from "./check-health.ts";
import { checkOutside } from "./check-outside.ts";
import {
  checkReferences,
  listReferences,
  splitTable,
  type TablesOptions,
} from "./check-references.ts";
import { checkSchema } from "./check-schema.ts";
import { compareDatabases } from "./compare-databases.ts";
import { type CheckOptions, type CheckSubject, type Ground, openGround } from "./open-ground.ts";
import { describeEnd } from "./limit-time.ts";
import {
  CHECKS,
  type CheckName,
  type CheckReport,
  draftReport,
  notConfigured,
  type ReportDraft,
  skippedWhole,
} from "./report.ts";
import { skipUnseenRows } from "./skip-unseen.ts";

/**
 * Given what is checked, do every check, and return a report of each, in their order. What cannot be checked is in the reports, with its
 * reason: nothing but a fault of ours throws. After a stop, or when time is over, what was found until then is in them, and what was not reached.
 */
export async function runChecks(
  subject: CheckSubject,
  options: CheckOptions,
): Promise<CheckReport[]> {
  const opened: Pick<Server, "close">[] = [];
  const reports: CheckReport[] = [];
  try {
    const ground = await openGround(subject, options, opened);
    for (const check of CHECKS) {
      options.update(`${subject.name}: ${check}`);
      reports.push(await runOne(check, ground));
    }
  } catch (error) {
    const why = describeEnd(error, options.signal);
    for (const check of CHECKS.slice(reports.length))
      reports.push(
        isConfigured(check, subject)
          ? skippedWhole(check, subject.name, why)
          : notConfigured(check, subject.name),
      );
  } finally {
    for (const one of opened.toReversed()) await one.close();
  }
  return reports;
}

/** What nobody has configured is no gap, whatever does not answer. */
function isConfigured(check: CheckName, { replica, outsides }: CheckSubject): boolean {
  if (check === "objects" || check === "search" || check === "items")
    return outsides[check].length > 0;
  return check !== "replica" || replica !== undefined;
}

async function runOne(check: CheckName, ground: Ground): Promise<CheckReport> {
  const { subject, options } = ground;
  const kept = options.bookmark.reports[check];
  if (kept) return kept;
  try {
    const report = await start(check, ground);
    // How a server is now is nothing to go on with.
    const isLasting = check !== "health" && report.state === "checked";
    if (isLasting && report.skipped.length === 0)
      await keepIfPossible(options.bookmark.keep(check, report), options);
    return report;
  } catch (error) {
    return skippedWhole(check, subject.name, describeEnd(error, options.signal));
  }
}

function start(check: CheckName, ground: Ground): Promise<CheckReport> | CheckReport {
  switch (check) {
    case "health":
      return runHealth(ground);
    case "schema":
      return checkSchema(ground.subject, ground);
    case "replica":
      return runReplica(ground);
    case "references":
      return runReferences(ground);
    case "objects":
    case "search":
    case "items":
      return runOutside(check, ground);
  }
}

async function runHealth(ground: Ground): Promise<CheckReport> {
  const { subject, primary, replica, pair, replicaGap, steer } = ground;
  if (!subject.replica) {
    await readHealth(primary.server);
    return notConfigured("health", `${subject.name} has no replica`);
  }
  if (!replica || !pair)
    return skippedWhole("health", subject.replica.name, replicaGap ?? "it does not answer");
  const { names, catchUp } = pair;
  const { maxLagSeconds, signal } = steer;
  try {
    const options = { names, catchUp, maxLagSeconds, signal };
    const { report, obstacle } = await checkHealth(primary, replica, options);
    ground.obstacle = obstacle;
    return report;
  } catch (error) {
    ground.obstacle = describeEnd(error, signal);
    throw error;
  }
}

/** What is many is asked of the replica, where there is one that follows. */
function tablesOf(ground: Ground): TablesOptions {
  const { subject, primary, replica, databases, steer } = ground;
  const reader = replica && ground.obstacle === undefined ? replica : primary;
  return { name: subject.name, reader, primary, databases, database: subject.database, steer };
}

async function runReferences(ground: Ground): Promise<CheckReport> {
  const { subject, options } = ground;
  const tables = tablesOf(ground);
  const references = await listReferences(subject.config.references ?? [], tables);
  if (references.length === 0) {
    // What its user is not shown may have some.
    const unseen = draftReport("references", subject.name);
    await skipUnseenRows({ ...tables, session: tables.reader }, unseen);
    return unseen.hasSkipped()
      ? unseen.end()
      : notConfigured("references", `${subject.name} has no foreign key`);
  }
  return goOn("references", subject.name, ground, (draft, part) =>
    checkReferences(references, draft, {
      ...tables,
      update: options.update,
      progress: part.progress,
      save: () => part.note(draft.end()),
    }),
  );
}

async function runOutside(
  check: "objects" | "search" | "items",
  ground: Ground,
): Promise<CheckReport> {
  const { subject, options } = ground;
  const sources = subject.outsides[check];
  if (sources.length === 0) return notConfigured(check, subject.name);
  const tables = tablesOf(ground);
  return goOn(check, subject.name, ground, async (draft, { progress }) => {
    for (const [index, source] of sources.entries()) {
      // Two may have one name, and other rows.
      const name = `${index} ${source.name}`;
      if (progress.done.includes(name)) continue;
      options.signal.throwIfAborted();
      options.update(`${subject.name}: ${source.name}`);
      try {
        await source.with((rows, outside) => checkOutside(rows, outside, draft, tables));
        passWhole(progress, name);
      } catch (error) {
        draft.leave(source.name, describeEnd(error, options.signal));
      }
    }
  });
}

async function runReplica(ground: Ground): Promise<CheckReport> {
  const { subject, pair, replicaGap, steer, options } = ground;
  if (!subject.replica) return notConfigured("replica", `${subject.name} has no replica`);
  const about = `${subject.primary.name} and ${subject.replica.name}`;
  if (!pair) return skippedWhole("replica", about, replicaGap ?? "it does not answer");
  if (ground.obstacle !== undefined) return skippedWhole("replica", about, ground.obstacle);
  return goOn("replica", about, ground, (draft, part) =>
    compareDatabases({
      pair,
      steer,
      draft,
      update: options.update,
      exclude: new Set(
        subject.config.exclude?.map((table) => splitTable(table, subject.database).join(".")),
      ),
      progress: part.progress,
      save: () => part.note(draft.end()),
    }),
  );
}

/** Where a run has come to is worth a line of -v, and not what it has found. */
async function keepIfPossible(
  writing: Promise<void>,
  { trace }: Pick<CheckOptions, "trace">,
): Promise<void> {
  await writing.catch((error: unknown) =>
    trace(`--resume will begin anew: ${describeError(error)}`),
  );
}

/** Does a check that an earlier run may have begun, and writes down how far it comes. */
async function goOn(
  check: CheckName,
  about: string,
  { options }: Ground,
  work: (draft: ReportDraft, part: BookmarkPart) => Promise<void>,
): Promise<CheckReport> {
  const part = options.bookmark.openPart(check);
  const draft = draftReport(check, about, part.earlier);
  try {
    await work(draft, part);
  } catch (error) {
    // What was found until then is found; the rest is left.
    draft.leave(about, describeEnd(error, options.signal));
  } finally {
    await keepIfPossible(part.flush(draft.end()), options);
  }
  return draft.end();
}
