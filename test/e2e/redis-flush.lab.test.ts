import { execFile } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRelay, type Relay } from "../lab/relay.ts";
import { until } from "../support/until.ts";
import { testWith } from "../support/lab.ts";
import { openPty } from "../support/pty.ts";
import { makeRedisGround, readJson, type RedisGround } from "../support/redis-ground.ts";
import type { RedisServer } from "../support/redis-servers.ts";
import { runLcops, startLcops, type LcopsResult } from "../support/run-lcops.ts";

const withRedis = testWith("redis");
const MANY = 200_000;

let ground: RedisGround;
beforeAll(async () => {
  ground = await makeRedisGround();
});
afterAll(() => ground.end());

const configFor: RedisGround["configFor"] = (port, more) => ground.configFor(port, more);
const flush = (config: string, ...words: string[]): Promise<LcopsResult> =>
  ground.redis("flush", config, ...words);

/** The machine may have much else to do. */
const LIMIT = { timeout: 90_000 };

describe("200,000 keys", LIMIT, () => {
  withRedis("go by pattern, counted to the last, and no other", async () => {
    const server = await ground.start();
    await server.fill("api:student", MANY);
    await server.fill("session", 1_000);
    const result = await flush(configFor(server.port), "--pattern", "api:*", "--yes", "--json");
    expect(result.code).toBe(0);
    expect(readJson(result)).toMatchObject({
      service: "cache",
      mode: "pattern",
      removed: MANY,
      left: 0,
    });
    expect(await server.ask("DBSIZE")).toBe("1000");
    const [entry] = ground.journalOf(server.port);
    expect(entry).toMatchObject({
      change: `remove api:* from database 0 of cache, 127.0.0.1:${server.port} directly`,
      outcome: { state: "done", detail: `${MANY} keys removed, none left` },
    });
    expect(entry?.undo).toBeUndefined();
  });

  withRedis("go with their database, and those of the others stay", async () => {
    const server = await ground.start();
    await server.fill("api:student", MANY, 3);
    await server.fill("session", 10);
    const config = configFor(server.port);
    const result = await flush(config, "--db", "3", "--yes", "--json");
    expect(readJson(result)).toMatchObject({ mode: "database", removed: MANY, left: 0 });
    expect(await server.askIn(3, "DBSIZE")).toBe("0");
    expect(await server.ask("DBSIZE")).toBe("10");
    const pending = /lazyfree_pending_objects:(\d+)/.exec(await server.ask("INFO", "memory"));
    expect(pending?.[1]).toBe("0");
    // It was done in the background.
    expect(await server.ask("INFO", "commandstats")).toMatch(/cmdstat_flushdb:calls=1,/);
    const all = await flush(config, "--all", "--yes", "--json");
    expect(readJson(all)).toMatchObject({ mode: "all", removed: 10, left: 0 });
  });

  testWith("redis", "hosts")(
    "or fewer are reached through the API host that is named",
    async () => {
      const server = await ground.start();
      await server.fill("api:student", 20_000);
      const config = ground.deriveConfig((changed) => {
        const cache = changed.services?.["dev-cache"];
        Object.assign(cache ?? {}, { address: "127.0.0.1", port: server.port });
      });
      const words = ["redis", "flush", "dev-api3-2", "--config", config, "--pattern", "api:*"];
      const { environment } = ground;
      const plan = await runLcops([...words, "--dry-run", "--json"], { environment });
      expect(readJson(plan)).toMatchObject({
        dryRun: true,
        title: "remove api:* from database 0 of dev-cache: 20,000 keys",
        keys: 20_000,
        undo: null,
      });
      expect(await server.ask("DBSIZE")).toBe("20000");
      expect(ground.journalOf(server.port)).toEqual([]);
      const result = await runLcops([...words, "--yes", "-v"], { environment });
      expect(result).toMatchObject({ code: 0, stdout: "" });
      expect(result.stderr).toMatch(/127\.0\.0\.1:\d+ through dev-api3-2/);
      expect(result.stderr).toMatch(/^dev-cache: 20,000 keys removed, none is left; memory /m);
      expect(await server.ask("DBSIZE")).toBe("0");
    },
  );

  withRedis("may be written anew meanwhile, which is told and no error", async () => {
    const server = await ground.start();
    await server.fill("api:student", MANY);
    await server.fill("api:new", 10);
    const load = ["-p", String(server.port), "-q", "-n", "100000000", "-r", "5000", "-c", "2"];
    const writer = execFile("redis-benchmark", [...load, "SET", "api:new:__rand_int__", "x"]);
    const isWriting = async (): Promise<boolean> => Number(await server.ask("DBSIZE")) > MANY + 10;
    await until("the writer writes", isWriting);
    const result = await flush(configFor(server.port), "--pattern", "api:*", "--yes", "--json");
    writer.kill("SIGKILL");
    expect(result.code).toBe(0);
    const { removed, left } = readJson(result) as { removed: number; left: number };
    // All that was there, and what came and was met.
    expect(removed).toBeGreaterThanOrEqual(MANY + 10);
    expect(left).toBeGreaterThan(0);
    const remaining = (await server.ask("--scan")).split("\n");
    expect(remaining.filter((key) => !key.startsWith("api:new:"))).toEqual([]);
    expect(ground.journalOf(server.port)[0]?.outcome?.detail).toMatch(
      /there now, written meanwhile$/,
    );
  });
});

describe("a link that is cut", LIMIT, () => {
  let server: RedisServer;
  let relay: Relay;
  beforeAll(async () => {
    if (!ground.lab.services.redis) return;
    server = await ground.start();
    relay = await startRelay({ host: "127.0.0.1", port: server.port });
  });
  afterAll(() => relay?.close());

  /** Removing sends the names back, looking only asks. */
  const isRemoving = (bytes: number) => (): Promise<boolean> =>
    Promise.resolve(relay.counters().bytesToServer > bytes);

  withRedis("in mid-scan is a part that is done, and the next run does the rest", async () => {
    await server.fill("api:student", MANY);
    const config = configFor(relay.port);
    relay.set({ bytesPerSecond: 4_000_000 });
    const before = relay.counters().bytesToServer;
    const running = flush(config, "--pattern", "api:*", "--yes");
    await until("it removes", isRemoving(before + 1_500_000), 30_000);
    relay.cut();
    const result = await running;
    expect(result.code).toBe(3);
    expect(result.stdout).toBe("");
    const [, told] = /at least ([\d,]+) keys removed, the rest is not known; run it again/.exec(
      result.stderr,
    ) ?? ["", ""];
    const removed = Number(told.replaceAll(",", ""));
    const left = Number(await server.ask("DBSIZE"));
    expect(removed).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(0);
    expect(removed).toBeLessThanOrEqual(MANY - left);
    expect(ground.journalOf(relay.port)[0]?.outcome).toMatchObject({ state: "unknown" });
    relay.set({ bytesPerSecond: 0 });
    const rest = await flush(config, "--pattern", "api:*", "--yes", "--json");
    expect(readJson(rest)).toMatchObject({ removed: left, left: 0 });
    expect(await server.ask("DBSIZE")).toBe("0");
  });

  withRedis("while it only looks has done nothing", async () => {
    await server.fill("api:student", MANY);
    relay.set({ bytesPerSecond: 1_000_000 });
    const { bytesToClient } = relay.counters();
    const running = flush(configFor(relay.port), "--pattern", "api:*", "--yes");
    const isLooking = (): Promise<boolean> =>
      Promise.resolve(relay.counters().bytesToClient > bytesToClient + 200_000);
    await until("it looks", isLooking, 30_000);
    const before = ground.journalOf(relay.port).length;
    relay.cut();
    const result = await running;
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: cache: .+; see lcops doctor\n$/);
    expect(ground.journalOf(relay.port)).toHaveLength(before);
    expect(await server.ask("DBSIZE")).toBe(String(MANY));
    relay.set({ bytesPerSecond: 0 });
  });

  withRedis("by Ctrl-C ends with 130 and tells what is removed", async () => {
    await server.fill("api:student", MANY);
    relay.set({ bytesPerSecond: 4_000_000 });
    const before = relay.counters().bytesToServer;
    const words = ["redis", "flush", "cache", "--config", configFor(relay.port)];
    const running = startLcops([...words, "--pattern", "api:*", "--yes"], {
      environment: ground.environment,
    });
    await until("it removes", isRemoving(before + 1_000_000), 30_000);
    relay.stall();
    // Meanwhile nobody else flushes it.
    const second = await flush(configFor(server.port), "--db", "--yes");
    expect(second).toMatchObject({ code: 6 });
    expect(second.stderr).toContain("another run flushes cache; wait for it to end");
    running.send("SIGINT");
    const result = await running.ended;
    expect(result.code).toBe(130);
    expect(result.stderr).toMatch(/^lcops: cache: stopped; at least [\d,]+ keys removed, /m);
    expect(ground.journalOf(relay.port).at(-1)?.outcome).toMatchObject({ state: "unknown" });
    expect(Number(await server.ask("DBSIZE"))).toBeGreaterThan(0);
    relay.resume();
  });
});

withRedis(
  "an answer to the flush that is not understood is none of success or failure",
  async () => {
    const server = await ground.start();
    await server.fill("api:student", 10);
    // No server counts with nothing: what it was asked is done, and how much it was is lost on the way.
    const between = net.createServer((client) => {
      const behind = net.connect(server.port, "127.0.0.1");
      client.pipe(behind).on("data", (bytes: Buffer) => {
        client.write(
          bytes.toString("latin1").replace(/\*3\r\n:\d+\r\n/, "*3\r\n$-1\r\n"),
          "latin1",
        );
      });
      for (const one of [client, behind]) one.on("error", () => undefined);
      client.on("close", () => behind.destroy());
    });
    between.listen(0, "127.0.0.1");
    await once(between, "listening");
    const { port } = between.address() as net.AddressInfo;
    const result = await flush(configFor(port), "--db", "--yes");
    between.close();
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toMatch(
      /^lcops: cache has not said what its flush has removed; what is removed is not known; run it again/,
    );
    expect(ground.journalOf(port)[0]?.outcome).toMatchObject({ state: "unknown" });
    expect(await server.ask("DBSIZE")).toBe("0");
  },
);

describe("names", () => {
  withRedis("of every kind are removed by what they are", async () => {
    const server = await ground.start();
    const odd = ["a b", "a\nb", "a\u0000b", "a\u001b[2Jb", "a雪b", "a*b", "a[1]b", '"a"b', "a\\b"];
    for (const name of odd) {
      const script = "return redis.call('SET', ARGV[1], '1')";
      await server.ask("EVAL", script.replace("ARGV[1]", luaString(name)), "0");
    }
    await server.ask("SET", "ax", "1");
    const config = configFor(server.port);
    const plan = await flush(config, "--pattern", "*a*b", "--dry-run");
    expect(plan.stdout).toMatch(/: 9 keys$/m);
    // What steers a terminal does not reach it.
    expect(plan.stdout).not.toContain("\u001b");
    const one = await flush(config, "--pattern", "a\\*b", "--yes", "--json");
    expect(readJson(one)).toMatchObject({ removed: 1 });
    const rest = await flush(config, "--pattern", "*a*b", "--yes", "--json");
    expect(readJson(rest)).toMatchObject({ removed: 8, left: 0 });
    expect(await server.ask("KEYS", "*")).toBe("ax");
  });
});

const luaString = (text: string): string =>
  `'${[...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}'`;

describe("a confirmation", () => {
  let server: RedisServer;
  beforeAll(async () => {
    if (!ground.lab.services.redis) return;
    server = await ground.start();
    await server.ask("SET", "kept", "1");
  });

  withRedis.each([
    ["nothing", [], "confirm it with --confirm cache"],
    ["--yes alone", ["--yes"], "in production --yes does not do without a terminal"],
  ])("of production is not %s", async (_what, words, said) => {
    const config = configFor(server.port, { environment: "prod" });
    const result = await flush(config, "--db", ...words);
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(said);
    expect(await server.ask("DBSIZE")).toBe("1");
  });

  withRedis("is needed where the environment is not marked, too", async () => {
    const config = ground.deriveConfig((changed) => {
      changed.services = { cache: { kind: "redis", address: "127.0.0.1", port: server.port } };
      changed.menu = [];
      delete changed.backups;
    });
    expect(await flush(config, "--db", "--yes")).toMatchObject({ code: 5 });
  });

  withRedis("is its name, typed; the plan stands before it", async () => {
    const config = configFor(server.port, { environment: "prod" });
    const words = ["redis", "flush", "cache", "--config", config, "--db"];
    const pty = openPty(words, { environment: ground.environment });
    const text = await pty.waitFor("Type cache to go on:");
    expect(text).toMatch(/^flush database 0 of cache: 1 key$/m);
    expect(text).toContain("master without replicas");
    expect(text).toContain("nothing can undo this");
    pty.type("cash\r");
    expect((await pty.exit).code).toBe(5);
    expect(await server.ask("DBSIZE")).toBe("1");
    const again = openPty(words, { environment: ground.environment });
    await again.waitFor("Type cache to go on:");
    again.type("cache\r");
    expect((await again.exit).code).toBe(0);
    expect(again.text()).toContain("cache: 1 key removed, none is left");
    expect(await server.ask("DBSIZE")).toBe("0");
  });
});

describe("a server that is another by the time of the answer", () => {
  const ask = async (server: RedisServer) => {
    await server.ask("SET", "kept", "1");
    const words = ["redis", "flush", "cache", "--config", configFor(server.port), "--db"];
    const pty = openPty(words, { environment: ground.environment });
    await pty.waitFor("Go on?");
    return pty;
  };

  withRedis("is refused where it is a replica now", async () => {
    const [server, master] = [await ground.start(), await ground.start()];
    const pty = await ask(server);
    await server.ask("REPLICAOF", "127.0.0.1", String(master.port));
    pty.type("y\r");
    expect((await pty.exit).code).toBe(5);
    expect(pty.text()).toContain(`cache is a replica of 127.0.0.1:${master.port}`);
    expect(ground.journalOf(server.port)).toEqual([]);
  });

  withRedis("is refused where another has its address now", async () => {
    const server = await ground.start();
    const other = await ground.start();
    await other.ask("SET", "kept", "1");
    const relays = [await startRelay({ host: "127.0.0.1", port: server.port })];
    const [first] = relays;
    const port = first?.port ?? 0;
    const pty = await ask({ ...server, port });
    await first?.close();
    relays.push(await startRelay({ host: "127.0.0.1", port: other.port, listen: { port } }));
    pty.type("y\r");
    expect((await pty.exit).code).toBe(5);
    expect(pty.text()).toContain("cache is another server now");
    expect(await other.ask("DBSIZE")).toBe("1");
    await relays[1]?.close();
  });
});

test("what is to be removed must be said", async () => {
  const result = await flush(configFor(1), "--yes");
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain("name --pattern GLOB, --db for the whole database, or --all");
});
