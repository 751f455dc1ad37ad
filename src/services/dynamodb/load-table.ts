import { open, rm } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import { pauseMs } from "./ask-patiently.ts";
import {
  AttributeError,
  canonicalItem,
  type Item,
  itemToJson,
  readItem,
} from "./attribute-value.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import type { Table } from "./describe-table.ts";
import { type ExactJson, parseExactJson, writeExactJson } from "./exact-json.ts";
import { explainDynamoDbError, isPassing, isThrottle } from "./explain-dynamodb-error.ts";
import { type DumpLine, type DumpSource, readDump, verifyParts } from "./read-dump.ts";
import { keyOf } from "./row-key.ts";
import { validateItem } from "./validate-item.ts";

/** DynamoDB Developer Guide, "Quotas": BatchWriteItem. The request is larger than its items. */
const BATCH_ITEMS = 25;
const BATCH_BYTES = 8 * 1024 * 1024;
const MOST_AT_ONCE = 4;
const MOST_ATTEMPTS = 10;

export interface LoadResult {
  written: number;
  /** Items that the service has not taken, however often it was asked; they are in the file. */
  left: number;
  deadLetterPath?: string;
}

export interface LoadOptions {
  /** Where items go that the service does not take. */
  deadLetterPath: string;
  onProgress: (written: number) => void;
  /** How long to wait after so many failures; absent: as ever. */
  pause?: (failures: number) => number;
}

/** Given a dump and the table, read all of it and throw `usage` for the first item that the table cannot hold; return how many items there are. */
export async function validateDump(
  source: DumpSource,
  table: Table,
  signal: AbortSignal,
): Promise<number> {
  await verifyParts(source, signal);
  let count = 0;
  for await (const { item, place } of readDump(source, signal)) {
    try {
      validateItem(item, table);
    } catch (error) {
      if (!(error instanceof AttributeError)) throw error;
      throw new OperatorError("usage", `${place}: ${error.message}`, {
        next: "nothing was written; correct the line, or choose the table that it is of",
        cause: error,
      });
    }
    count++;
  }
  return count;
}

/**
 * Given a dump that was validated, write its items into the table, over those with the same keys. What the service leaves is sent again,
 * later and later, and after ten times goes into a file of its own.
 */
export async function loadTable(
  dynamoDb: DynamoDb,
  source: DumpSource,
  table: Table,
  options: LoadOptions,
): Promise<LoadResult> {
  const result: LoadResult = { written: 0, left: 0 };
  const deadLetters = await openDeadLetters(options.deadLetterPath);
  const underWay = new Map<Promise<void>, ReadonlySet<string>>();
  const turns = makeTurns();
  let failure: { error: unknown } | undefined;
  const send = (batch: Batch): void => {
    const work: Promise<void> = writeBatch(dynamoDb, table.name, batch.items, {
      pause: options.pause ?? pauseMs,
      turns,
    })
      .then(async (left) => {
        result.written += batch.items.length - left.length;
        result.left += left.length;
        if (left.length > 0) await deadLetters.add(left);
        options.onProgress(result.written);
      })
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => underWay.delete(work));
    underWay.set(work, batch.keys);
  };
  try {
    for await (const batch of collectBatches(readDump(source, dynamoDb.signal), table)) {
      // Of two items with one key the later one wins: it must not overtake the other.
      const isTwin = (keys: ReadonlySet<string>): boolean =>
        [...batch.keys].some((key) => keys.has(key));
      while (underWay.size >= MOST_AT_ONCE || [...underWay.values()].some(isTwin))
        await Promise.race(underWay.keys());
      if (failure) break;
      send(batch);
    }
    await Promise.all(underWay.keys());
    dynamoDb.signal.throwIfAborted();
    if (failure) throw failure.error;
  } finally {
    await deadLetters.close();
  }
  return { ...result, ...(result.left > 0 && { deadLetterPath: options.deadLetterPath }) };
}

interface Batch {
  items: Item[];
  /** No two the same: the service refuses such a batch whole. */
  keys: Set<string>;
}

async function* collectBatches(
  lines: AsyncIterable<DumpLine>,
  table: Pick<Table, "key">,
): AsyncIterable<Batch> {
  let batch: Batch = { items: [], keys: new Set() };
  let bytes = 0;
  for await (const { item } of lines) {
    const key = canonicalItem(keyOf(item, table) ?? new Map());
    const size = Buffer.byteLength(writeExactJson(itemToJson(item)));
    const isFull = batch.items.length >= BATCH_ITEMS || bytes + size > BATCH_BYTES;
    if (batch.items.length > 0 && (isFull || batch.keys.has(key))) {
      yield batch;
      batch = { items: [], keys: new Set() };
      bytes = 0;
    }
    batch.items.push(item);
    batch.keys.add(key);
    bytes += size;
  }
  if (batch.items.length > 0) yield batch;
}

interface Turns {
  /** Resolves when one more may be asked. */
  take(): Promise<void>;
  /** Tell that it was answered, and whether all of it was taken. */
  giveBack(isWhole: boolean): void;
}

/** How many requests are under way: half as many after one that was not taken whole, one more after as many as there are that were. */
function makeTurns(): Turns {
  let atOnce = MOST_AT_ONCE;
  let taken = 0;
  let wholeOnes = 0;
  const waiting: (() => void)[] = [];
  const admit = (): void => {
    for (; taken < atOnce && waiting.length > 0; taken++) waiting.shift()?.();
  };
  return {
    take: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        admit();
      }),
    giveBack: (isWhole) => {
      taken--;
      wholeOnes = isWhole ? wholeOnes + 1 : 0;
      if (!isWhole) atOnce = Math.max(1, Math.floor(atOnce / 2));
      else if (wholeOnes >= atOnce && atOnce < MOST_AT_ONCE) {
        atOnce++;
        wholeOnes = 0;
      }
      admit();
    },
  };
}

/** Returns what the service did not take. */
async function writeBatch(
  dynamoDb: DynamoDb,
  table: string,
  items: readonly Item[],
  { pause, turns }: { pause: (failures: number) => number; turns: Turns },
): Promise<readonly Item[]> {
  let left = items;
  for (let failures = 0; left.length > 0;) {
    await turns.take();
    let isWhole = false;
    try {
      const answer = await dynamoDb.ask("BatchWriteItem", formatBatch(table, left));
      const unprocessed = readUnprocessed(answer, table);
      // What was taken in part has not failed for nothing.
      failures = unprocessed.length < left.length ? 1 : failures + 1;
      left = unprocessed;
      isWhole = left.length === 0;
    } catch (error) {
      dynamoDb.signal.throwIfAborted();
      // A put that is made twice is the same put.
      if (!isThrottle(error) && !isPassing(error))
        throw explainDynamoDbError(error, "BatchWriteItem", table, dynamoDb);
      failures++;
    } finally {
      turns.giveBack(isWhole);
    }
    if (failures >= MOST_ATTEMPTS) return left;
    if (left.length > 0) await wait(pause(failures), undefined, { signal: dynamoDb.signal });
  }
  return [];
}

function formatBatch(table: string, items: readonly Item[]): string {
  const puts = items.map(
    (item): ExactJson => new Map([["PutRequest", new Map([["Item", itemToJson(item)]])]]),
  );
  return writeExactJson(new Map([["RequestItems", new Map([[table, puts]])]]));
}

function readUnprocessed(answer: Buffer, table: string): Item[] {
  const get = (json: ExactJson | undefined, name: string): ExactJson | undefined =>
    json instanceof Map ? json.get(name) : undefined;
  const requests = get(get(parseExactJson(answer.toString()), "UnprocessedItems"), table);
  return Array.isArray(requests)
    ? requests.map((request) => readItem(get(get(request, "PutRequest"), "Item") ?? null))
    : [];
}

/** A file that is made with its first item, in the form in which it can be loaded again. */
async function openDeadLetters(path: string) {
  await rm(path, { force: true });
  let file: Awaited<ReturnType<typeof open>> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    add: (items: readonly Item[]): Promise<void> => {
      const lines = items.map((item) => `{"Item":${writeExactJson(itemToJson(item))}}\n`);
      const added = last.then(async () => {
        file ??= await open(path, "w", 0o600);
        await file.appendFile(lines.join(""));
      });
      last = added.catch(() => undefined);
      return added;
    },
    close: async (): Promise<void> => {
      await last;
      await file?.sync();
      await file?.close();
    },
  };
}
