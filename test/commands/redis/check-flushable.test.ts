import { describe, expect, test } from "vitest";
import { checkFlushable, removeCommand } from "../../../src/commands/redis/check-flushable.ts";
import type { FlushWish } from "../../../src/commands/redis/flush-wish.ts";
import type { RedisInfo } from "../../../src/services/redis/read-info.ts";
import type { Reply } from "../../../src/services/redis/reply-reader.ts";
import { makeFakeRedis, REDIS_INFO } from "../../support/fake-redis.ts";
import { tellFailure } from "../../support/fake-context.ts";

const WISHES: FlushWish[] = [
  { kind: "database" },
  { kind: "all" },
  { kind: "pattern", pattern: "api:*" },
];
const NODES = [
  "a 10.0.0.2:6379@16379 master - 0 0 1 connected 0-5460",
  "b 10.0.0.1:6379@16379,host myself,master - 0 0 2 connected 5461-10922",
  "c 10.0.0.3:6379@16379 slave a 0 0 1 connected",
].join("\n");

/** A server that knows every command but those of that name. */
const makeServer = (missing: readonly string[] = [], nodes: string | Error = NODES) =>
  makeFakeRedis(([command, , ...names]): Reply => {
    if (command === "CLUSTER" && typeof nodes !== "string") throw nodes;
    if (command === "CLUSTER") return Buffer.from(String(nodes));
    return names.map((name) => (missing.includes(name) ? null : []));
  });

const check = (more: Partial<RedisInfo>, wish: FlushWish, server = makeServer()) =>
  tellFailure(() => checkFlushable(server.client, { ...REDIS_INFO, ...more }, wish));

describe("checkFlushable", () => {
  test.each<[FlushWish, string]>([
    [{ kind: "pattern", pattern: "a*" }, "COMMAND INFO scan unlink"],
    [{ kind: "database" }, "COMMAND INFO flushdb"],
    [{ kind: "all" }, "COMMAND INFO flushall"],
  ])("lets a master of Redis 7 be flushed: %j, once it knows the commands", async (wish, asked) => {
    const server = makeServer();
    await checkFlushable(server.client, REDIS_INFO, wish);
    expect(server.asked).toEqual([asked]);
  });

  test.each(WISHES)("refuses a replica, its master named: %j", async (wish) => {
    const master = { host: "127.0.0.1", port: 6380, isLinked: true };
    const server = makeServer();
    expect(await check({ role: "replica", master }, wish, server)).toEqual({
      code: 5,
      stdout: "",
      stderr:
        "lcops: cache is a replica of 127.0.0.1:6380; nothing was done; flush the master, 127.0.0.1:6380\n",
    });
    expect(server.asked).toEqual([]);
  });

  test.each(WISHES)("refuses a sentinel: %j", async (wish) => {
    const { code, stderr } = await check({ mode: "sentinel" }, wish);
    expect(code).toBe(5);
    expect(stderr).toBe(
      "lcops: cache is a sentinel, which keeps no keys; nothing was done; name the Redis that it watches\n",
    );
  });

  test.each(WISHES)("refuses a node of a cluster, all its masters named: %j", async (wish) => {
    const { code, stderr } = await check({ mode: "cluster" }, wish);
    expect(code).toBe(5);
    expect(stderr).toContain(
      "cache is one node of a cluster of 2 masters (10.0.0.1:6379, 10.0.0.2:6379): the others would keep their keys",
    );
    expect(stderr).toContain("redis-cli --cluster call 10.0.0.1:6379 --cluster-only-masters");
  });

  test("refuses a node of a cluster that does not say which nodes there are", async () => {
    const server = makeServer([], new Error("NOPERM"));
    const { code, stderr } = await check({ mode: "cluster" }, { kind: "all" }, server);
    expect(code).toBe(5);
    expect(stderr).toContain("cache is one node of a cluster: the others would keep their keys");
    expect(stderr).toContain("redis-cli --cluster call HOST:PORT ");
  });

  test.each<FlushWish>([{ kind: "database" }, { kind: "all" }])(
    "refuses a whole database before 4.0, since it would block: %j",
    async (wish) => {
      const { code, stderr } = await check({ version: "2.8.4" }, wish);
      expect(code).toBe(5);
      expect(stderr).toContain("is a Redis 2.8.4, which answers nobody while it is flushed");
      expect(stderr).toContain("remove by --pattern");
    },
  );

  test("lets keys go by pattern before 4.0, by DEL", async () => {
    const server = makeServer(["unlink"]);
    const info = { ...REDIS_INFO, version: "3.2.12" };
    await checkFlushable(server.client, info, { kind: "pattern", pattern: "a*" });
    expect(server.asked).toEqual(["COMMAND INFO scan del"]);
  });

  test.each<[FlushWish, string, string]>([
    [{ kind: "database" }, "flushdb", "remove by --pattern, or ask whoever runs it"],
    [{ kind: "all" }, "flushall", "remove by --pattern, or ask whoever runs it"],
    [{ kind: "pattern", pattern: "a*" }, "unlink", "ask whoever runs it"],
    [{ kind: "pattern", pattern: "a*" }, "scan", "ask whoever runs it"],
  ])("says that a command is renamed: %j without %s", async (wish, missing, next) => {
    expect(await check({}, wish, makeServer([missing]))).toEqual({
      code: 1,
      stdout: "",
      stderr: `lcops: cache has no ${missing.toUpperCase()}: it is renamed or disabled there; nothing was done; ${next}\n`,
    });
  });

  test("goes on where the server does not tell of its commands", async () => {
    const { client } = makeFakeRedis(() => "NOPERM");
    await expect(checkFlushable(client, REDIS_INFO, { kind: "all" })).resolves.toBeUndefined();
  });
});

test.each([
  ["2.8.4", "DEL"],
  ["3.2.12", "DEL"],
  ["4.0.0", "UNLINK"],
  ["7.0.15", "UNLINK"],
  ["10.0.0", "UNLINK"],
  // A server that does not tell its version may be old.
  ["", "DEL"],
])("keys of Redis %s are removed by %s", (version, command) => {
  expect(removeCommand({ version })).toBe(command);
});
