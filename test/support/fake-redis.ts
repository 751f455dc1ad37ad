import type { OpenRedis } from "../../src/commands/redis/open-redis.ts";
import type { RedisClient, Words } from "../../src/services/redis/connect-redis.ts";
import type { RedisInfo } from "../../src/services/redis/read-info.ts";
import type { Reply } from "../../src/services/redis/reply-reader.ts";

/** Returns a connection to a Redis that answers as the test says, and what it was asked. */
export function makeFakeRedis(answer: (words: readonly string[]) => Reply): {
  client: RedisClient;
  asked: string[];
} {
  const asked: string[] = [];
  const reply = async (words: Words): Promise<Reply> => {
    const texts = words.map(String);
    asked.push(texts.join(" "));
    return answer(texts);
  };
  const client: RedisClient = {
    name: "cache",
    send: (...words) => reply(words),
    sendAll: (commands) => Promise.all(commands.map(reply)),
    close: () => undefined,
  };
  return { client, asked };
}

/** The INFO of a Redis 7 with two databases. */
export const REDIS_INFO: RedisInfo = {
  version: "7.0.15",
  mode: "standalone",
  runId: "a",
  uptimeMs: 3 * 3_600_000,
  role: "master",
  replicas: 0,
  clients: 14,
  maxClients: 10_000,
  usedBytes: 12_300_000,
  maxBytes: 64_000_000,
  eviction: "allkeys-lru",
  commandsPerSecond: 1240,
  hitRate: 0.972,
  pendingFrees: 0,
  databases: [
    { index: 0, keys: 200_000, expiring: 300 },
    { index: 3, keys: 1, expiring: 1 },
  ],
};

/** A Redis of development that is reached directly. */
export const OPEN_REDIS: OpenRedis = {
  name: "cache",
  environment: "dev",
  isProduction: false,
  place: { name: "cache", host: "127.0.0.1", port: 6379, database: 0 },
  obstacle: () => undefined,
  where: "127.0.0.1:6379 directly",
};
