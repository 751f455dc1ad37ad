import pLimit from "p-limit";
import { OperatorError } from "../../system/errors.ts";
import type {
  BackupWarning,
  DriverOptions,
  DumpOutcome,
  DumpPlan,
  PartSink,
} from "../backup-driver.ts";
import type { Fact } from "../set-content.ts";
import { encodePartName } from "../part-name.ts";
import { type DumpCall, findDumper, runDumper } from "./dumper.ts";
import { describeSchema, describeViews } from "./describe-schema.ts";
import { openServer, quoteName, type Server, type Session } from "./open-server.ts";
import { checkGrants, type Database, readInventory, TRANSACTIONAL } from "./read-inventory.ts";
import { passWhole } from "./split-dump.ts";
import { planSplits } from "./split-table.ts";
import { openInOneMoment, planLanes } from "./synchronise.ts";
import { withDumper } from "./with-dumper.ts";
import { checksumOf, writeTables } from "./write-tables.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { MysqlJob } from "./settings.ts";

/** The objects of a database that are parts of their own, in the order in which they are restored. */
const objectsOf = (database: Database): string[] => [
  database.name,
  ...database.tables.map(({ name }) => `${database.name}.${name}`),
  ...(database.sequences.length > 0 ? [sequencesOf(database)] : []),
  ...(database.views.length > 0 ? [viewsOf(database)] : []),
  ...(database.programs > 0 ? [programsOf(database)] : []),
];
const sequencesOf = ({ name }: Database): string => `${name} (sequences)`;
const viewsOf = ({ name }: Database): string => `${name} (views)`;
const programsOf = ({ name }: Database): string => `${name} (routines and events)`;

/** Given a server, return what a dump of it would hold. Throws `access` where the user would be shown less than there is, `missing` without a dump program. */
export async function planMysqlDump(
  place: ServicePlace,
  options: DriverOptions<MysqlJob>,
): Promise<DumpPlan> {
  const server = await openServer(place);
  try {
    const dumper = await findDumper(server.flavour, options.environment);
    const databases = await readInventory(server, options.job.mysql?.exclude ?? []);
    await checkGrants(server, server.flavour, databases);
    if (databases.length === 0)
      throw new OperatorError("failed", `${place.name} shows its user no database`, {
        next: "grant the user what is to be backed up",
      });
    const sizes = new Map<string, number>(
      databases.flatMap(({ name, tables }) =>
        tables.map((table) => [`${name}.${table.name}`, table.bytes] as const),
      ),
    );
    const loose = databases.flatMap(({ name, tables }) =>
      tables
        .filter(({ engine }) => !TRANSACTIONAL.has(engine))
        .map((table): BackupWarning => {
          const object = `${name}.${table.name}`;
          return { code: "NON_TRANSACTIONAL_TABLE", object, detail: table.engine };
        }),
    );
    return {
      objects: databases.flatMap(objectsOf).map((name) => {
        const estimatedBytes = sizes.get(name);
        return { name, ...(estimatedBytes !== undefined && { estimatedBytes }) };
      }),
      programs: { [dumper.flavour === "mariadb" ? "mariadb-dump" : "mysqldump"]: dumper.version },
      warnings: loose,
    };
  } finally {
    await server.close();
  }
}

/** Given a server and a sink, dump every database in one moment: each table, what is set of it and its triggers is a part of its own. */
export function dumpMysql(
  place: ServicePlace,
  sink: PartSink,
  options: DriverOptions<MysqlJob> & { splitBytes?: number },
): Promise<DumpOutcome> {
  return withDumper(place, options, (server, call) => dumpAll(server, call, sink, options));
}

async function dumpAll(
  server: Server,
  call: DumpCall,
  sink: PartSink,
  options: DriverOptions<MysqlJob> & { splitBytes?: number },
): Promise<DumpOutcome> {
  const exclude = options.job.mysql?.exclude ?? [];
  const databases = await readInventory(server, exclude);
  const splits = await planSplits(server, databases, options.parallel, options.splitBytes);
  const lanes = planLanes(databases, options.parallel, splits);
  options.update("waiting for one moment of all tables");
  const moment = await openInOneMoment(server, databases, lanes, call, options);
  // A server waits a minute for whoever reads it (net_write_timeout): no lane may wait for another one.
  const now: PartSink = {
    ...sink,
    write: (part, content) => sink.write(part, content, { isRunning: true }),
  };
  const total = databases.reduce((sum, { tables }) => sum + tables.length, 0);
  const tell = (done: number): void => options.update(`${done} of ${total} tables`);
  try {
    const [rows, facts, others] = await Promise.all([
      countRows(moment.session, databases.map(withSnapshot)),
      writeTables(moment.lanes, splits, { server, call, sink: now, tell }),
      writeOthers(server, databases, call, sink),
    ]);
    await refuseChanges(server, databases, exclude);
    return {
      consistency: { level: moment.level, at: moment.at, proof: moment.proof },
      source: { engine: server.flavour, version: server.version, serverId: server.id },
      facts: [...facts, ...others.facts].map((fact) => {
        const counted = rows.get(fact.object);
        return counted === undefined ? fact : { ...fact, rows: counted };
      }),
      warnings: others.warnings,
    };
  } finally {
    await moment.close();
  }
}

/** Of a table for which no snapshot holds, the rows would be those of another moment than its dump. */
const withSnapshot = (database: Database): Database => ({
  ...database,
  tables: database.tables.filter(({ engine }) => TRANSACTIONAL.has(engine)),
});

/** Rows as the session sees them. */
export async function countRows(
  session: Session,
  databases: readonly Database[],
): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  for (const { name, tables } of databases) {
    for (const table of tables) {
      const from = `${quoteName(name)}.${quoteName(table.name)}`;
      const [counted] = await session.query(`SELECT COUNT(*) AS rows_ FROM ${from}`);
      rows.set(`${name}.${table.name}`, Number(counted?.["rows_"]));
    }
  }
  return rows;
}

/** What is no table: definitions, which no snapshot holds for. */
export async function writeOthers(
  server: Server,
  databases: readonly Database[],
  call: DumpCall,
  sink: PartSink,
): Promise<{ facts: Fact[]; warnings: BackupWarning[] }> {
  const facts: Fact[] = [];
  const warnings: BackupWarning[] = [];
  const limit = pLimit(1);
  const put = async (
    object: string,
    file: string,
    role: string,
    content: AsyncIterable<Buffer>,
  ): Promise<void> => {
    const record = await sink.write({ path: `mysql/${file}`, object, role, seq: 0 }, content);
    facts.push({ object, checksum: checksumOf(record, call.dumper.version) });
  };
  await Promise.all(
    databases.map((database) =>
      limit(async () => {
        const folder = encodePartName(database.name);
        await put(
          database.name,
          `${folder}/00-database.sql`,
          "database",
          describeSchema(server, database),
        );
        if (database.sequences.length > 0)
          await put(
            sequencesOf(database),
            `${folder}/10-sequences.sql`,
            "sequences",
            dumpSequences(database, call),
          );
        if (database.views.length > 0) {
          const views = await describeViews(server, database);
          warnings.push(...views.warnings);
          if (views.broken) {
            const path = `mysql/${folder}/85-broken-views.sql`;
            const object = `${database.name} (broken views)`;
            await sink.write({ path, object, role: "broken", seq: 0 }, views.broken());
          }
          await put(viewsOf(database), `${folder}/80-views.sql`, "views", views.content());
        }
        if (database.programs > 0)
          await put(
            programsOf(database),
            `${folder}/90-routines-events.sql`,
            "programs",
            dumpPrograms(database, call),
          );
      }),
    ),
  );
  return { facts, warnings };
}

const dumpSequences = ({ name, sequences }: Database, call: DumpCall): AsyncIterable<Buffer> =>
  passWhole(runDumper(call, ["--skip-triggers"], [name, ...sequences]));

const dumpPrograms = ({ name, views }: Database, call: DumpCall): AsyncIterable<Buffer> =>
  passWhole(
    runDumper(
      call,
      [
        "--no-data",
        "--no-create-info",
        "--skip-triggers",
        "--routines",
        "--events",
        // It looks at all of them, and a broken one would end it.
        ...views.map((view) => `--ignore-table=${name}.${view}`),
      ],
      [name],
    ),
  );

/** A table that came or went meanwhile is in no dump, or in none that is whole. */
async function refuseChanges(
  server: Server,
  before: readonly Database[],
  exclude: readonly string[],
): Promise<void> {
  const after = (await readInventory(server, exclude)).flatMap(objectsOf);
  const there = new Set(after);
  const old = before.flatMap(objectsOf);
  const known = new Set(old);
  const changed = [
    ...after.filter((object) => !known.has(object)).map((object) => `${object} was made`),
    ...old.filter((object) => !there.has(object)).map((object) => `${object} was dropped`),
  ];
  if (changed.length === 0) return;
  throw new OperatorError("failed", `${changed.slice(0, 3).join(", ")} during the dump`, {
    next: "nothing was published; run it again",
  });
}
