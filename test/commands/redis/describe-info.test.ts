import { describe, expect, test } from "vitest";
import {
  describeClients,
  describeCount,
  describeDatabase,
  describeKeys,
  describeMemory,
  describeRole,
  describeServer,
  describeUse,
} from "../../../src/commands/redis/describe-info.ts";
import type { RedisInfo } from "../../../src/services/redis/read-info.ts";
import { REDIS_INFO } from "../../support/fake-redis.ts";

const info = (more: Partial<RedisInfo> = {}): RedisInfo => ({ ...REDIS_INFO, ...more });
const without = (name: "maxClients" | "hitRate"): RedisInfo => {
  const { [name]: _left, ...rest } = REDIS_INFO;
  return rest;
};

test("counts have their thousands apart", () => {
  expect([0, 999, 1000, 200_000, 1_234_567].map(describeCount)).toEqual([
    "0",
    "999",
    "1,000",
    "200,000",
    "1,234,567",
  ]);
  expect([0, 1, 2, 20_000].map(describeKeys)).toEqual(["0 keys", "1 key", "2 keys", "20,000 keys"]);
});

describe("the role", () => {
  const master = { host: "10.0.0.1", port: 6379, isLinked: true };
  test.each<[Partial<RedisInfo>, string]>([
    [{}, "master without replicas"],
    [{ replicas: 1 }, "master with 1 replica"],
    [{ replicas: 2 }, "master with 2 replicas"],
    [{ role: "replica", master }, "replica of 10.0.0.1:6379"],
    [
      { role: "replica", master: { ...master, isLinked: false } },
      "replica of 10.0.0.1:6379, whose link is down",
    ],
  ])("for %j is %s", (more, said) => {
    expect(describeRole(info(more))).toBe(said);
  });
});

test("the server, its memory, its use and its clients are said in a line each", () => {
  expect(describeServer(info())).toBe("Redis 7.0.15, standalone, up 3 h");
  expect(describeMemory(info())).toBe("12.3 MB of 64.0 MB, allkeys-lru");
  expect(describeMemory(info({ maxBytes: 0, eviction: "" }))).toBe("12.3 MB without a limit");
  expect(describeUse(info())).toBe("1,240 a second; 97.2 % of reads found");
  expect(describeUse(info({ hitRate: 0 }))).toBe("1,240 a second; 0.0 % of reads found");
  expect(describeUse(without("hitRate"))).toBe("1,240 a second");
  expect(describeClients(info())).toBe("14 of 10,000");
  expect(describeClients(without("maxClients"))).toBe("14");
});

test("a database says how many of its keys expire", () => {
  expect(describeDatabase({ index: 0, keys: 12_345, expiring: 300 })).toBe(
    "12,345 keys, 300 of which expire",
  );
  expect(describeDatabase({ index: 3, keys: 1, expiring: 1 })).toBe("1 key, 1 of which expires");
});
