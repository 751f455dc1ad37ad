import type { Readable } from "node:stream";
import { describeError } from "../../system/errors.ts";
import type { BackupDriver, DriverOptions } from "../backup-driver.ts";
import { serviceOf } from "../restore-target.ts";
import type { ExternalReference, PartRecord } from "../set-content.ts";
import { TEXT_END } from "./describe-schema.ts";
import { dumpMysql, planMysqlDump } from "./dump.ts";
import { measureMysql } from "./measure.ts";
import { openMysqlScratch } from "./open-scratch.ts";
import { planMysqlRestore, restoreMysql } from "./restore.ts";
import { planRdsSnapshot, rdsSnapshots, takeRdsSnapshot } from "./rds-snapshot.ts";
import { PART_END } from "./split-dump.ts";
import type { MysqlJob } from "./settings.ts";

/** MySQL and MariaDB, by their own dump programs, all tables in one moment. */
export const mysqlBackup: BackupDriver = {
  plan: (place, options) =>
    takesSnapshots(options) ? planRdsSnapshot(place, options) : planMysqlDump(place, options),
  dump: (place, _plan, sink, options) =>
    takesSnapshots(options) ? takeRdsSnapshot(place, options) : dumpMysql(place, sink, options),
  external: rdsSnapshots,
  checkPart,
  planRestore: (set, target, options) => planMysqlRestore(set, serviceOf(target), options),
  restore: (set, target, options) => restoreMysql(set, serviceOf(target), options),
  openScratch: openMysqlScratch,
  measure: (set, target, options) => measureMysql(serviceOf(target), set.facts, options),
  describeRestore: (set, decode) =>
    set.external ? describeSnapshot(set.external) : describeParts(set, decode),
};

const takesSnapshots = ({ job }: DriverOptions<MysqlJob>): boolean =>
  job.mysql?.rdsSnapshot !== undefined;

const describeSnapshot = ({ id, region, account }: ExternalReference): string[] => [
  `Its bytes are the RDS snapshot ${id}${account === undefined ? "" : ` of the account ${account}`}. With the aws command:`,
  "",
  `aws rds restore-db-instance-from-db-snapshot${region === undefined ? "" : ` --region ${region}`} --db-snapshot-identifier ${id} --db-instance-identifier NEWNAME`,
];

const describeParts: BackupDriver["describeRestore"] = (set, decode) => [
  "Each table is a part of its own and restores alone; a large one is a part with its structure, then parts with its rows, then one with its triggers.",
  "Keep the order of the lines below. Views come last.",
  "The login comes from your option files, or add --user and --password.",
  "",
  ...["database", "sequences", "table", "rows", "triggers", "programs", "views"].flatMap((role) =>
    set.parts
      .filter((part) => part.role === role)
      .map((part) => {
        const database = databaseOf(part, set.parts);
        const quoted = `'${database.replaceAll("'", `'\\''`)}'`;
        const client = `mysql --binary-mode --max-allowed-packet=1G --database=${quoted}`;
        return role === "database"
          ? `mysqladmin create ${quoted}; ${decode(part)} | ${client}`
          : `${decode(part)} | ${client}`;
      }),
  ),
  "",
  "A mysql client that is not MariaDB's may refuse the first line (enable the sandbox mode) of a part: put | tail -n +2 behind it.",
];

function databaseOf({ path }: PartRecord, parts: readonly PartRecord[]): string {
  const [, folder] = path.split("/");
  return (
    parts.find((part) => part.role === "database" && part.path.split("/")[1] === folder)?.object ??
    ""
  );
}

/** What each part ends in, when it is whole. */
const ENDS: Record<string, string> = {
  table: PART_END,
  rows: PART_END,
  database: TEXT_END,
  views: TEXT_END,
  broken: TEXT_END,
};

async function checkPart(part: PartRecord, content: Readable): Promise<string | undefined> {
  try {
    let tail = Buffer.alloc(0);
    for await (const chunk of content as AsyncIterable<Buffer>)
      tail = Buffer.from(Buffer.concat([tail, chunk]).subarray(-512));
    const expected = (ENDS[part.role] ?? "-- Dump completed").trim();
    return tail.toString("latin1").includes(expected) ? undefined : "its last line is missing";
  } catch (error) {
    return describeError(error);
  }
}
