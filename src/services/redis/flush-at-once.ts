import { setTimeout as wait } from "node:timers/promises";
import type { RedisClient, Words } from "./connect-redis.ts";
import { explainFailure } from "./explain-failure.ts";
import { parseKeyspace, readInfo } from "./read-info.ts";
import { RedisFailure, type Reply } from "./reply-reader.ts";

const ASYNC: Readonly<Record<"database" | "all", Words>> = {
  database: ["FLUSHDB", "ASYNC"],
  all: ["FLUSHALL", "ASYNC"],
};

/**
 * Given a connection, empty its database, or all of them, in the background. Returns how many keys there were at that very moment and how many
 * were left in it: both are counted in one transaction with the flush, so that no writer comes between; undefined where the answer is not
 * understood, and the flush may be done. Throws what the server answers; where it refuses one command of the transaction, none was done.
 */
export async function flushAtOnce(
  client: RedisClient,
  what: "database" | "all",
): Promise<{ removed: number; left: number } | undefined> {
  const flush = ASYNC[what];
  const count: Words = what === "all" ? ["INFO", "keyspace"] : ["DBSIZE"];
  const commands: Words[] = [["MULTI"], count, flush, count, ["EXEC"]];
  const replies = await client.sendAll(commands);
  const refused = replies.findIndex((reply) => reply instanceof RedisFailure);
  if (refused >= 0)
    throw explainFailure(
      client.name,
      replies[refused] as RedisFailure,
      commands[refused]?.[0] ?? "",
    );
  const executed = replies.at(-1);
  const [before, flushed, after] = Array.isArray(executed) ? (executed as Reply[]) : [];
  if (flushed instanceof RedisFailure) throw explainFailure(client.name, flushed, flush[0]);
  const [removed, left] = [readCount(before), readCount(after)];
  return removed === undefined || left === undefined ? undefined : { removed, left };
}

function readCount(reply: Reply = null): number | undefined {
  if (typeof reply === "number") return reply;
  return Buffer.isBuffer(reply)
    ? parseKeyspace(reply.toString()).reduce((sum, { keys }) => sum + keys, 0)
    : undefined;
}

const FREE_LIMIT_MS = 60_000;
const ASK_EVERY_MS = 50;

/** Wait until the server has given back the memory of what was removed; returns how many values it still holds after a minute, 0 as a rule. */
export async function waitUntilFreed(client: RedisClient, signal: AbortSignal): Promise<number> {
  const end = performance.now() + FREE_LIMIT_MS;
  for (;;) {
    const { pendingFrees } = await readInfo(client);
    if (pendingFrees === 0 || performance.now() > end) return pendingFrees;
    await wait(ASK_EVERY_MS, undefined, { signal });
  }
}
