import { setTimeout as wait } from "node:timers/promises";
import { askPatiently, pauseMs } from "./ask-patiently.ts";
import { type PagePool, makePagePool } from "./page-pool.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import type { Table } from "./describe-table.ts";
import { explainDynamoDbError, isThrottle } from "./explain-dynamodb-error.ts";
import type { Pacer } from "./make-pacer.ts";
import { makeScanPace, type ScanPace } from "./scan-pace.ts";
import { type Page, splitPage } from "./split-page.ts";

/** How far a segment of a scan has come. */
export interface Segment {
  /** Where the next page begins, as the service sent it. */
  lastKey?: string;
  isDone: boolean;
  items: number;
  bytes: number;
}

export interface ScanOptions {
  table: string;
  /** All of the scan; they are brought up to date with each page, once it is taken. */
  segments: readonly Segment[];
  pacer: Pacer;
  /** Items of a page; absent: as many as the service gives. */
  limit?: number;
  /** Takes a page; while it does, its segment is not asked on. */
  onPage: (page: Page, segment: Segment) => Promise<void>;
  onThrottle?: () => void;
}

/** A request that has been throttled for so long, in which nothing else came either, is given up. */
const THROTTLED_LIMIT_MS = 5 * 60_000;
/** Of a table that is worth it; more than can be under way at once, for these to have something to choose from. */
const FEWEST_SEGMENTS = 16;
const GIGABYTE = 2 ** 30;

/**
 * Given a table, return in how many segments to scan it. AWS suggests one for 2 GB (Developer Guide, "Parallel scan"); they are
 * equal ranges of hashes and not equal bytes, so there are four times as many, for the queue to even them out. Pure.
 */
export function planSegments(table: Pick<Table, "bytes">): Segment[] {
  const wished = Math.ceil(table.bytes / (2 * GIGABYTE)) * 4;
  const count = table.bytes < GIGABYTE / 10 ? 4 : Math.min(256, Math.max(FEWEST_SEGMENTS, wished));
  return Array.from({ length: count }, () => ({ isDone: false, items: 0, bytes: 0 }));
}

/**
 * Given its segments, scan the rest of a table, as many pages at once as the service bears. Throws an OperatorError; what was taken until then is in the segments.
 */
export async function scanTable(dynamoDb: DynamoDb, options: ScanOptions): Promise<void> {
  const queue = options.segments.filter((segment) => !segment.isDone);
  const pace = makeScanPace();
  const pool = makePagePool();
  const stop = new AbortController();
  const signal = AbortSignal.any([dynamoDb.signal, stop.signal]);
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const advance = async (segment: Segment): Promise<void> => {
    const page = await askForPage({ ...dynamoDb, signal }, options, segment, { pace, pool });
    await options.onPage(page, segment);
    pool.giveBack(page.body, page.bounds);
    if (!segment.isDone) queue.push(segment);
  };
  while (!failure && (queue.length > 0 || underWay.size > 0)) {
    while (queue.length > 0 && underWay.size < pace.atOnce()) {
      const work: Promise<void> = advance(queue.shift() as Segment)
        .catch((error: unknown) => {
          failure ??= { error };
          stop.abort(error);
        })
        .finally(() => underWay.delete(work));
      underWay.add(work);
    }
    await Promise.race(underWay);
  }
  await Promise.all(underWay);
  dynamoDb.signal.throwIfAborted();
  if (failure) throw failure.error;
}

async function askForPage(
  dynamoDb: DynamoDb,
  options: ScanOptions,
  segment: Segment,
  { pace, pool }: { pace: ScanPace; pool: PagePool },
): Promise<Page> {
  const { table, pacer } = options;
  const body = requestOf(options, segment);
  for (let throttles = 0; ;) {
    await pacer.take(dynamoDb.signal);
    try {
      const question = {
        table,
        body,
        throwThrottle: true,
        pool,
        read: (answer: Buffer) => splitPage(answer, pool.takeBounds()),
      };
      const page = await askPatiently(dynamoDb, "Scan", question);
      // Old emulators do not say. An eventually consistent read of 8 KB is one unit.
      pacer.spend(page.consumedUnits ?? Math.ceil(page.body.length / 8192));
      pace.onPage(page.body.length);
      return page;
    } catch (error) {
      dynamoDb.signal.throwIfAborted();
      if (!isThrottle(error)) throw error;
      if (pace.idleMs() > THROTTLED_LIMIT_MS)
        throw explainDynamoDbError(error, "Scan", table, dynamoDb);
      pace.onThrottle();
      options.onThrottle?.();
      throttles++;
      await wait(pauseMs(throttles), undefined, { signal: dynamoDb.signal });
    }
  }
}

/** The key goes back byte by byte. */
function requestOf({ table, segments, limit }: ScanOptions, segment: Segment): string {
  const request = JSON.stringify({
    TableName: table,
    Segment: segments.indexOf(segment),
    TotalSegments: segments.length,
    ReturnConsumedCapacity: "TOTAL",
    ...(limit !== undefined && { Limit: limit }),
  });
  return segment.lastKey === undefined
    ? request
    : `${request.slice(0, -1)},"ExclusiveStartKey":${segment.lastKey}}`;
}
