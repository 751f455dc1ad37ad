import type { ConsistencyConfig } from "../config/consistency-schema.ts";
import type { ServicePlace } from "../services/backup-driver.ts";
import { openReader, type Reader } from "../services/mysql/open-reader.ts";
import { openServer, type Server } from "../services/mysql/open-server.ts";
import { readHealth, findCatchUp } from "../services/mysql/read-health.ts";
import { listDatabases } from "../services/mysql/read-inventory.ts";
import { checkHealth } from "./check-health.ts";
import { checkOutside, type Outside, type Rows } from "./check-outside.ts";
import { checkReferences, type TablesOptions } from "./check-references.ts";
import { checkSchema, type SchemaSource } from "./check-schema.ts";
import { compareDatabases } from "./compare-databases.ts";
import { describeWhy, type Pair } from "./pair.ts";
import type { Bookmark } from "./bookmark.ts";
import {
  CHECKS,
  type CheckName,
  type CheckReport,
  draftReport,
  notConfigured,
  skippedWhole,
} from "./report.ts";
import { makeSteer, OutOfTime, type Steer } from "./steer.ts";

/** What is checked, and the ways to it. */
export interface CheckSubject {
  name: string;
  config: ConsistencyConfig;
  primary: ServicePlace;
  replica: ServicePlace | undefined;
  /** What the schema must be like, besides the replica's. */
  schemas: readonly SchemaSource[];
  /** The database of a table that is named without. */
  database: string | undefined;
  /** What belongs to its rows elsewhere; opened when it is looked at, and closed behind it. */
  outsides: Readonly<
    Record<
      "objects" | "search" | "items",
      readonly { name: string; open: () => Promise<{ rows: Rows; outside: Outside }> }[]
    >
  >;
}

export interface CheckOptions {
  asked: readonly CheckName[];
  signal: AbortSignal;
  /** Milliseconds of `performance.now()`; undefined: no limit. */
  until: number | undefined;
  update: (line: string) => void;
  trace: (line: string) => void;
  bookmark: Bookmark;
}

/** The servers, as far as they answer. */
interface Ground {
  subject: CheckSubject;
  options: CheckOptions;
  primary: Reader;
  replica: Reader | undefined;
  /** Why there is none to be asked. */
  replicaGap: string | undefined;
  databases: string[];
  pair: Pair | undefined;
  steer: Steer;
  /** Why rows are not compared with the replica's; found out by the check of health. */
  obstacle: string | undefined;
  isJudged: boolean;
}

const MAX_LAG_S = 10;
const MAX_RUNNING = 25;

/**
 * Given what is checked, do every check that was asked for, and return a report of each, in their order. What cannot be checked is in the reports, with its
 * reason: nothing but a fault of ours throws. After a stop the reports are those of what was done until then.
 */
export async function runChecks(
  subject: CheckSubject,
  options: CheckOptions,
): Promise<CheckReport[]> {
  const opened: Pick<Server, "close">[] = [];
  const wanted = CHECKS.filter((check) => options.asked.includes(check));
  const reports: CheckReport[] = [];
  try {
    const ground = await openGround(subject, options, opened);
    for (const check of wanted) {
      options.update(`${subject.name}: ${check}`);
      reports.push(await runOne(check, ground));
    }
  } catch (error) {
    const why = options.signal.aborted ? "it was stopped before" : describeWhy(error);
    for (const check of wanted.slice(reports.length))
      reports.push(skippedWhole(check, subject.name, why));
  } finally {
    for (const one of opened.toReversed()) await one.close();
  }
  return reports;
}

async function openGround(
  subject: CheckSubject,
  options: CheckOptions,
  opened: Pick<Server, "close">[],
): Promise<Ground> {
  const { config } = subject;
  const open = async (place: ServicePlace): Promise<Reader> => {
    const server = await openServer(place);
    opened.push(server);
    const reader = await openReader(server);
    opened.push(reader);
    return reader;
  };
  const primary = await open(subject.primary);
  let replica: Reader | undefined;
  let replicaGap: string | undefined;
  if (subject.replica) {
    try {
      replica = await open(subject.replica);
    } catch (error) {
      options.signal.throwIfAborted();
      replicaGap = describeWhy(error);
    }
  }
  const databases = config.databases ?? (await listDatabases(primary));
  const catchUp = replica && (await findCatchUp(primary, replica));
  const maxLagSeconds = config.maxLagSeconds ?? MAX_LAG_S;
  const steer = makeSteer(replica ? [primary, replica] : [primary], catchUp, {
    signal: options.signal,
    until: options.until,
    maxRunning: config.maxRunning ?? MAX_RUNNING,
    maxLagSeconds,
  });
  const pair: Pair | undefined = replica &&
    subject.replica && {
      names: [subject.primary.name, subject.replica.name],
      first: primary,
      second: replica,
      databases: databases.map((name) => [name, name] as const),
      catchUp,
    };
  return {
    subject,
    options,
    primary,
    replica,
    replicaGap,
    databases,
    pair,
    steer,
    obstacle: undefined,
    isJudged: false,
  };
}

async function runOne(check: CheckName, ground: Ground): Promise<CheckReport> {
  const { subject, options } = ground;
  const kept = options.bookmark.reports[check];
  if (kept) return kept;
  try {
    const report = await start(check, ground);
    // How a server is now is nothing to go on with.
    const isLasting = check !== "health" && report.state === "checked";
    if (isLasting && report.skipped.length === 0) await options.bookmark.keep(check, report);
    return report;
  } catch (error) {
    options.signal.throwIfAborted();
    const next =
      error instanceof OutOfTime ? `${error.message}; ${error.next}` : describeWhy(error);
    return skippedWhole(check, subject.name, next);
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
  const { maxLagSeconds } = steer;
  const result = await checkHealth(primary, replica, { names, catchUp, maxLagSeconds });
  ground.obstacle = result.obstacle;
  ground.isJudged = true;
  return result.report;
}

/** What is many is asked of the replica, where there is one that follows. */
async function tablesOf(ground: Ground): Promise<TablesOptions> {
  const { subject, primary, replica, databases, steer } = ground;
  await judgeReplica(ground);
  const reader = replica && ground.obstacle === undefined ? replica : primary;
  return { name: subject.name, reader, primary, databases, database: subject.database, steer };
}

async function runReferences(ground: Ground): Promise<CheckReport> {
  const configured = ground.subject.config.references ?? [];
  return checkReferences(configured, await tablesOf(ground));
}

async function runOutside(
  check: "objects" | "search" | "items",
  ground: Ground,
): Promise<CheckReport> {
  const { subject, options } = ground;
  const sources = subject.outsides[check];
  if (sources.length === 0) return notConfigured(check, subject.name);
  const tables = await tablesOf(ground);
  const draft = draftReport(check, subject.name);
  for (const { name, open } of sources) {
    try {
      const { rows, outside } = await open();
      try {
        await checkOutside(rows, outside, draft, tables);
      } finally {
        outside.close();
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof OutOfTime) draft.leave(name, describeWhy(error));
      else draft.skip(name, describeWhy(error));
    }
  }
  return draft.end();
}

/** Whether there is sense in asking the replica is for the check of health to say, also where that was not asked for. */
async function judgeReplica(ground: Ground): Promise<void> {
  if (ground.isJudged) return;
  await runHealth(ground);
}

async function runReplica(ground: Ground): Promise<CheckReport> {
  const { subject, pair, replicaGap, steer, options } = ground;
  if (!subject.replica) return notConfigured("replica", `${subject.name} has no replica`);
  const about = `${subject.primary.name} and ${subject.replica.name}`;
  if (!pair) return skippedWhole("replica", about, replicaGap ?? "it does not answer");
  await judgeReplica(ground);
  if (ground.obstacle !== undefined) return skippedWhole("replica", about, ground.obstacle);
  const draft = draftReport("replica", about, options.bookmark.partial);
  const { progress } = options.bookmark;
  const save = (): void => options.bookmark.note(draft.end());
  const exclude = new Set(subject.config.exclude);
  try {
    await compareDatabases({ pair, steer, draft, update: options.update, exclude, progress, save });
  } finally {
    await options.bookmark.flush(draft.end());
  }
  return draft.end();
}
