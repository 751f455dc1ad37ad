import { describeError, OperatorError } from "../../system/errors.ts";
import type { DriverOptions, DumpOutcome } from "../backup-driver.ts";
import { type DumpCall, runDumper } from "./dumper.ts";
import { quoteName, type Server, type Session } from "./open-server.ts";
import type { Database } from "./read-inventory.ts";
import { ROWS_MARK, TABLE_MARK } from "./split-dump.ts";
import { conditionsOf, type Split, type Splits } from "./split-table.ts";

/** Tables of one database that one run of the dump program reads. */
export interface Lane {
  database: string;
  tables: string[];
  /** Of the one table that it has then: all but its rows and triggers, or the rows of one range. */
  only?: "structure" | { seq: number; condition: string };
}

/** What the dump of a lane begins each of its tables with. */
export const markOf = ({ only }: Lane): Buffer =>
  typeof only === "object" ? ROWS_MARK : TABLE_MARK;

/** All lanes, each with its snapshot of the same moment. */
export interface Moment {
  level: DumpOutcome["consistency"]["level"];
  at: string;
  proof: Record<string, string | number>;
  lanes: { lane: Lane; content: AsyncIterable<Buffer> }[];
  /** Sees the same moment. */
  session: Session;
  close(): Promise<void>;
}

/** Writers wait for no longer: a change of a table's definition that comes in between can hold the dump programs up, and all behind it. */
const LOCK_LIMIT_MS = 5_000;
/** How long it is waited for writers; those behind wait too. */
const LOCK_WAIT_S = 5;

/** Given databases, how many streams are worth having, and the tables that are split, return the lanes: one of each range, and for what is left of each database one at least, a large one more, of about the same size. Pure. */
export function planLanes(
  databases: readonly Database[],
  parallel: number,
  splits: Splits = new Map(),
): Lane[] {
  const total = databases.reduce((sum, database) => sum + weighTables(database.tables), 0);
  return databases.flatMap((database) => {
    const isSplit = ({ name }: { name: string }): boolean => splits.has(`${database.name}.${name}`);
    const tables = database.tables.filter((table) => !isSplit(table));
    const share = Math.round((parallel * weighTables(tables)) / Math.max(1, total));
    return [
      ...database.tables.flatMap(({ name }) =>
        splitLanes(database.name, name, splits.get(`${database.name}.${name}`)),
      ),
      ...packTables(database.name, tables, Math.min(tables.length, Math.max(1, share))),
    ];
  });
}

const weigh = (bytes: number): number => bytes + 16 * 1024;
const weighTables = (tables: Database["tables"]): number =>
  tables.reduce((sum, { bytes }) => sum + weigh(bytes), 0);

function splitLanes(database: string, table: string, split: Split | undefined): Lane[] {
  if (!split) return [];
  return [
    { database, tables: [table], only: "structure" },
    ...conditionsOf(split).map((condition, seq): Lane => {
      return { database, tables: [table], only: { seq, condition } };
    }),
  ];
}

function packTables(database: string, tables: Database["tables"], count: number): Lane[] {
  const lanes = Array.from({ length: count }, () => ({ weight: 0, tables: [] as string[] }));
  for (const table of tables.toSorted((one, other) => other.bytes - one.bytes)) {
    const [lightest] = lanes.toSorted((one, other) => one.weight - other.weight);
    if (!lightest) break;
    lightest.tables.push(table.name);
    lightest.weight += weigh(table.bytes);
  }
  return lanes.map((lane) => ({ database, tables: lane.tables }));
}

/**
 * Given the lanes of a dump, start them so that all see one moment: tables are locked against writers while every lane and one session of ours take
 * their snapshots, for some tens of milliseconds. A writer that has
 * written one table and goes on to another in that moment may be told to begin again (error 1213). FLUSH TABLES WITH READ LOCK is not used, which RDS refuses.
 */
export async function openInOneMoment(
  server: Server,
  databases: readonly Database[],
  lanes: readonly Lane[],
  call: DumpCall,
  options: Pick<DriverOptions, "signal" | "trace">,
): Promise<Moment> {
  const session = await server.connect();
  const opened: ReturnType<typeof startLane>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(({ stop }) => stop()));
    await session.close();
  };
  try {
    await session.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    const lock = await server.connect();
    try {
      const began = await lockAll(lock, databases);
      await session.query("START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */");
      const at = new Date().toISOString();
      for (const lane of lanes) opened.push(startLane(lane, call));
      await withinLimit(Promise.all(opened.map(({ started }) => started)));
      const position = await readPosition(lock);
      await lock.query("UNLOCK TABLES");
      const lockMs = Math.round(performance.now() - began);
      options.trace(`all tables were locked against writers for ${lockMs} ms`);
      return {
        level: lanes.length === 0 ? "single-snapshot" : "lock-synced",
        at,
        proof: { lanes: lanes.length, lockMs, ...position },
        lanes: opened.map(({ lane, content }) => ({ lane, content })),
        session,
        close,
      };
    } finally {
      // With it the locks go, whatever happened.
      await lock.close();
    }
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns when it has the locks. A query that runs for long holds them up, and everybody behind: then it gives up. */
async function lockAll(lock: Session, databases: readonly Database[]): Promise<number> {
  const tables = databases.flatMap(({ name, tables: all }) =>
    all.map((table) => `${quoteName(name)}.${quoteName(table.name)} READ`),
  );
  await lock.query(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_S}`);
  try {
    const asked = performance.now();
    if (tables.length > 0) await lock.query(`LOCK TABLES ${tables.join(", ")}`);
    return tables.length > 0 ? performance.now() : asked;
  } catch (error) {
    throw new OperatorError(
      "failed",
      `the tables cannot be locked for the moment of the snapshot: ${describeError(error)}`,
      {
        next: `writers had ${LOCK_WAIT_S} s to end; see SHOW PROCESSLIST for a transaction that stays open, then run it again`,
        cause: error,
      },
    );
  }
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new OperatorError(
            "failed",
            `the dump programs did not begin within ${LOCK_LIMIT_MS / 1000} s`,
            {
              next: "the locks are given back; run it again when the server is less busy",
            },
          ),
        ),
      LOCK_LIMIT_MS,
    );
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** For the proof, where the user may see it. */
async function readPosition(session: Session): Promise<Record<string, string>> {
  for (const sql of ["SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"]) {
    const [row] = await session.query(sql).catch(() => []);
    if (row?.["File"] !== undefined)
      return { position: `${String(row["File"])}:${String(row["Position"])}` };
  }
  return {};
}

/** Given a lane, return its dump as it is written. */
export function dumpLane(
  call: DumpCall,
  { database, tables, only }: Lane,
): AsyncGenerator<Buffer, void> {
  const options =
    only === undefined
      ? ["--triggers"]
      : only === "structure"
        ? ["--no-data", "--skip-triggers"]
        : ["--no-create-info", "--skip-triggers", `--where=${only.condition}`];
  return runDumper(call, options, [database, ...tables]);
}

/** Its mark says that the snapshot stands: mysqldump opens it before it writes anything of a table. */
function startLane(
  lane: Lane,
  call: DumpCall,
): { lane: Lane; content: AsyncIterable<Buffer>; started: Promise<void>; stop(): Promise<void> } {
  const stopper = new AbortController();
  const signal = AbortSignal.any([call.signal, stopper.signal]);
  const source = dumpLane({ ...call, signal }, lane);
  const mark = markOf(lane);
  const first: Buffer[] = [];
  let isOver = false;
  const begin = async (): Promise<void> => {
    while (!Buffer.concat(first).includes(mark)) {
      const { done, value } = await source.next();
      if (done) {
        isOver = true;
        return;
      }
      first.push(value);
    }
  };
  const started = begin();
  started.catch(() => undefined);
  return {
    lane,
    started,
    content: (async function* () {
      await started;
      yield* first.splice(0);
      if (!isOver) yield* source;
    })(),
    stop: async () => {
      stopper.abort(new OperatorError("cancelled", "the dump has ended"));
      await started.catch(() => undefined);
      await source.return().catch(() => undefined);
    },
  };
}
