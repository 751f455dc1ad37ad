import type { ConsistencyConfig } from "../config/consistency-schema.ts";
import { openPlaceReader, type Reader } from "../services/mysql/open-reader.ts";
import type { Server } from "../services/mysql/open-server.ts";
import { findCatchUp } from "../services/mysql/read-replication.ts";
import { listDatabases } from "../services/mysql/read-inventory.ts";
import type { Bookmark } from "./bookmark.ts";
import type { Outside, Rows } from "./check-outside.ts";
import type { SchemaSource } from "./check-schema.ts";
import { describeWhy, type Pair, patienceFor } from "./pair.ts";
import { makeSteer, type Steer } from "./steer.ts";
import type { ServicePlace } from "../reach/service-place.ts";

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
  /** What belongs to its rows elsewhere. */
  outsides: Readonly<
    Record<
      "objects" | "search" | "items",
      readonly {
        name: string;
        /** Opens it, calls `use` with it, and closes it again. */
        with: (use: (rows: Rows, outside: Outside) => Promise<void>) => Promise<void>;
      }[]
    >
  >;
}

export interface CheckOptions {
  /** Ends everything that is awaited, by a stop or when time is over; see `limitTime`. */
  signal: AbortSignal;
  /** Milliseconds of `performance.now()`; undefined: no limit. */
  until: number | undefined;
  update: (line: string) => void;
  trace: (line: string) => void;
  bookmark: Bookmark;
}

/** The servers, as far as they answer. */
export interface Ground {
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
}

const MAX_LAG_S = 10;
const MAX_RUNNING = 25;

/** Given what is checked, connect to the servers. What is to be closed again is put into `opened`. Throws where the primary does not answer. */
export async function openGround(
  subject: CheckSubject,
  options: CheckOptions,
  opened: Pick<Server, "close">[],
): Promise<Ground> {
  const { config } = subject;
  const open = (place: ServicePlace): Promise<Reader> =>
    openPlaceReader(place, options.signal, opened);
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
  const catchUp = replica && (await findCatchUp(primary, replica, options.signal));
  const maxLagSeconds = config.maxLagSeconds ?? MAX_LAG_S;
  // One that is stopped, or has nothing to do with the primary, is neither waited for nor asked.
  const isAsked = (): boolean => ground.obstacle === undefined;
  const catchUpIfAsked: typeof catchUp = catchUp && (async (limit) => !isAsked() || catchUp(limit));
  const readers = (): Reader[] => (replica && isAsked() ? [primary, replica] : [primary]);
  const steer = makeSteer(readers, catchUpIfAsked, {
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
      patienceMs: patienceFor(catchUp, maxLagSeconds),
    };
  const ground: Ground = {
    subject,
    options,
    primary,
    replica,
    replicaGap,
    databases,
    pair,
    steer,
    obstacle: undefined,
  };
  return ground;
}
