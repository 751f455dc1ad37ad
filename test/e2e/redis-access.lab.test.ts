import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Finding } from "../../src/system/finding.ts";
import { makeReplyReader } from "../../src/services/redis/reply-reader.ts";
import { startScripted, type ScriptedServer } from "../services/scripted-server.ts";
import { until } from "../support/until.ts";
import { testWith } from "../support/lab.ts";
import { makeRedisGround, readJson, type RedisGround } from "../support/redis-ground.ts";
import type { RedisServer } from "../support/redis-servers.ts";
import { runLcops } from "../support/run-lcops.ts";

const withRedis = testWith("redis");
const PASSWORD = 's3cret "of" the cache';

let ground: RedisGround;
beforeAll(async () => {
  ground = await makeRedisGround();
});
afterAll(() => ground.end());

const keepPassword = (name: string, password = PASSWORD): string =>
  `\${file:${ground.writeFile(name, `${password}\n`)}}`;

describe("a login", () => {
  let server: RedisServer;
  beforeAll(async () => {
    if (!ground.lab.services.redis) return;
    server = await ground.start(["--requirepass", PASSWORD], PASSWORD);
    const may = "+ping +info +scan +memory|usage +command|info";
    const users: readonly [string, string][] = [
      ["operator", "~* +@all"],
      ["reader", `~* ${may}`],
      ["narrow", `~other:* ${may} +unlink`],
    ];
    for (const [user, rules] of users) {
      const words = ["ACL", "SETUSER", user, "on", `>${user} pass`, ...rules.split(" ")];
      await server.ask(...words);
    }
    await server.fill("api", 500);
  });
  const configAs = (user: string, password = `${user} pass`): string =>
    ground.configFor(server.port, { user, password: keepPassword(`as-${user}`, password) });

  withRedis("is a password by reference", async () => {
    const config = ground.configFor(server.port, { password: keepPassword("default") });
    const result = await ground.redis("info", config, "--json");
    expect(readJson(result)).toMatchObject({
      service: "cache",
      environment: "dev",
      role: "master",
      mode: "standalone",
      databases: [{ index: 0, keys: 500, expiring: 0 }],
    });
  });

  withRedis("that is wrong, or missing, is said so", async () => {
    const wrong = ground.configFor(server.port, { password: keepPassword("wrong", "no") });
    const refused = await ground.redis("flush", wrong, "--db", "--yes");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^lcops: cache does not accept the user and its password; /);
    expect(refused.stderr).not.toContain("no\n");
    const without = await ground.redis("info", ground.configFor(server.port));
    expect(without.stderr).toMatch(/^lcops: cache wants a password, and none is configured; /);
    expect(without.code).toBe(1);
    const open = await ground.start();
    const needless = ground.configFor(open.port, { password: keepPassword("needless") });
    const odd = await ground.redis("info", needless);
    expect(odd.stderr).toContain("cache wants no password, and one is configured");
  });

  withRedis("of an ACL that lets less is told what it lacks, and nothing is done", async () => {
    const words = ["--pattern", "api:*", "--yes"];
    const config = configAs("reader");
    const refused = await ground.redis("flush", config, ...words);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("lcops: cache does not let its user do UNLINK");
    expect(refused.stderr).toContain("have it allowed by ACL SETUSER");
    const narrow = await ground.redis("flush", configAs("narrow"), ...words);
    expect(narrow).toMatchObject({ code: 1 });
    expect(narrow.stderr).toMatch(/does not let its user do UNLINK.*keys/);
    const whole = await ground.redis("flush", config, "--db", "--yes");
    expect(whole).toMatchObject({ code: 1 });
    expect(whole.stderr).toMatch(/does not let its user do (MULTI|FLUSHDB)/);
    expect(await server.ask("DBSIZE")).toBe("500");
    expect(ground.journalOf(server.port).map(({ outcome }) => outcome?.state)).toEqual([
      "failed",
      "failed",
      "failed",
    ]);
  });

  withRedis("of an ACL is a user and its password", async () => {
    const config = configAs("operator");
    const result = await ground.redis("flush", config, "--pattern", "api:*", "--yes", "--json");
    expect(readJson(result)).toMatchObject({ removed: 500, left: 0 });
  });
});

describe("a server", () => {
  withRedis("on which a command is renamed is told so before anybody is asked", async () => {
    const server = await ground.start(["--rename-command", "FLUSHDB", "", "--databases", "4"]);
    await server.fill("api", 500);
    const config = ground.configFor(server.port);
    const refused = await ground.redis("flush", config, "--db", "--dry-run");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/cache has no FLUSHDB: it is renamed or disabled there; /);
    expect(refused.stderr).toContain("remove by --pattern");
    const result = await ground.redis("flush", config, "--pattern", "api:*", "--yes", "--json");
    expect(readJson(result)).toMatchObject({ removed: 500, left: 0 });
    const none = await ground.redis("flush", config, "--db", "9", "--yes");
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain(
      "cache has no database of that number; see lcops redis info cache\n",
    );
  });

  withRedis("that is a replica is refused, its master named", async () => {
    const master = await ground.start(["--repl-diskless-sync-delay", "0"]);
    // What it makes is for no replica that is there already.
    await master.fill("api", 500);
    const replica = await ground.start(["--replicaof", `127.0.0.1 ${master.port}`]);
    const isThere = async (): Promise<boolean> =>
      (await replica.ask("INFO", "replication")).includes("master_link_status:up") &&
      (await replica.ask("DBSIZE")) === "500";
    await until("the replica has all of it", isThere, 20_000);
    const config = ground.configFor(replica.port);
    const info = await ground.redis("info", config);
    expect(info.stdout).toMatch(
      new RegExp(`^role\\treplica of 127\\.0\\.0\\.1:${master.port}$`, "m"),
    );
    const result = await ground.redis("flush", config, "--db", "--yes");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toBe(
      `lcops: cache is a replica of 127.0.0.1:${master.port}; nothing was done; flush the master, 127.0.0.1:${master.port}\n`,
    );
    // The replica of a master that is flushed loses the same, and the plan says so.
    const plan = await ground.redis("flush", ground.configFor(master.port), "--db", "--dry-run");
    expect(plan.stdout).toContain("master with 1 replica, which lose the same");
    expect(await master.ask("DBSIZE")).toBe("500");
  });

  withRedis("that is a cluster is said to be one, with all its masters", async () => {
    const settings = ["--cluster-enabled", "yes", "--cluster-port"];
    const nodes: RedisServer[] = [];
    for (let node = 0; node < 3; node++) {
      nodes.push(await ground.start([...settings, String(await ground.pickPort())]));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`).toSorted();
    const words = ["--cluster", "create", ...addresses, "--cluster-yes"];
    await promisify(execFile)("redis-cli", words);
    const config = ground.configFor(nodes[0]?.port ?? 0);
    const result = await ground.redis("flush", config, "--all", "--yes");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(
      `cache is one node of a cluster of 3 masters (${addresses.join(", ")}): the others would keep their keys`,
    );
    const info = readJson(await ground.redis("info", config, "--json"));
    expect(info).toMatchObject({ mode: "cluster", masters: addresses });
  });

  withRedis("that takes no writes says why, and keeps its keys", async () => {
    const server = await ground.start();
    await server.fill("api", 500);
    await server.ask("CONFIG", "SET", "min-replicas-to-write", "1");
    const words = ["--pattern", "api:*", "--yes"];
    const result = await ground.redis("flush", ground.configFor(server.port), ...words);
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toMatch(/^lcops: cache says: NOREPLICAS/);
    expect(await server.ask("DBSIZE")).toBe("500");
  });
});

/** A server at protocol level: what it answers to each command. */
async function script(answer: (words: readonly string[]) => string): Promise<ScriptedServer> {
  return startScripted((socket) => {
    const read = makeReplyReader((command) => {
      const words = (command as readonly Buffer[]).map(String);
      if (!socket.destroyed) socket.write(answer(words));
    });
    socket.on("data", read);
  });
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (items: readonly string[]): string => `*${items.length}\r\n${items.join("")}`;

describe("what no server of today does", () => {
  const scripted: ScriptedServer[] = [];
  afterAll(async () => {
    await Promise.all(scripted.map((server) => server.stop()));
  });
  const open = async (answer: (words: readonly string[]) => string): Promise<string> => {
    const server = await script(answer);
    scripted.push(server);
    return ground.configFor(server.port);
  };
  /** A Redis before 4.0, with keys; SCAN shows one of them twice, and has an empty page. */
  const openOld = (version: string, keys: Set<string>): Promise<string> => {
    const all = [...keys];
    return open(([command = "", ...words]) => {
      const info = `redis_version:${version}\r\nrun_id:x\r\nrole:master\r\ndb0:keys=${keys.size},expires=0`;
      if (command === "PING") return "+PONG\r\n";
      if (command === "INFO") return bulk(info);
      if (command === "COMMAND") return array(words.slice(1).map(() => "*0\r\n"));
      if (command === "MEMORY") return "-ERR unknown command 'MEMORY'\r\n";
      if (command === "SCAN") {
        // A page with one of its keys twice, an empty one, the rest.
        const [first = "", ...others] = all.slice(0, 100);
        const page = { 0: [first, ...others, first], 7: [], 9: all.slice(100) }[Number(words[0])];
        const next = { 0: "7", 7: "9", 9: "0" }[Number(words[0])] ?? "0";
        const found = (page ?? []).filter((key) => keys.has(key));
        return array([bulk(next), array(found.map(bulk))]);
      }
      if (command === "DEL") {
        if (words.length > 150) return "-ERR too many at once\r\n";
        return `:${words.filter((key) => keys.delete(key)).length}\r\n`;
      }
      return `-ERR unknown command '${command}'\r\n`;
    });
  };
  const makeKeys = (): Set<string> => new Set(Array.from({ length: 200 }, (_, at) => `k:${at}`));

  withRedis("before 4.0 keys go by DEL, each counted once", async () => {
    const keys = makeKeys();
    const config = await openOld("3.2.12", keys);
    const result = await ground.redis("flush", config, "--pattern", "k:*", "--yes", "--json");
    expect(result).toMatchObject({ code: 0 });
    // SCAN has shown 201.
    expect(readJson(result)).toMatchObject({ removed: 200, left: 0 });
    expect(keys.size).toBe(0);
  });

  withRedis("before 4.0 a whole database is refused, since it would block", async () => {
    const keys = makeKeys();
    const result = await ground.redis("flush", await openOld("2.8.4", keys), "--db", "--yes");
    expect(result).toMatchObject({ code: 5 });
    expect(result.stderr).toContain("is a Redis 2.8.4, which answers nobody while it is flushed");
    expect(keys.size).toBe(200);
  });

  withRedis.each([
    ["-LOADING Redis is loading the dataset in memory", 1, "cache still loads its data"],
    ["-ERR max number of clients reached", 1, "cache has as many clients as it may have"],
    ["-BUSY Redis is busy running a script", 1, "cache runs a script"],
    ["HTTP/1.1 400 Bad Request", 1, "cache: it answers in another protocol"],
  ])("%s is told", async (line, code, said) => {
    const result = await ground.redis("flush", await open(() => `${line}\r\n`), "--db", "--yes");
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(said);
  });

  withRedis("a sentinel keeps no keys", async () => {
    const info = "redis_version:7.0.15\r\nredis_mode:sentinel\r\nrun_id:x";
    const config = await open(([command]) => (command === "INFO" ? bulk(info) : "+PONG\r\n"));
    const result = await ground.redis("flush", config, "--db", "--yes");
    expect(result).toMatchObject({ code: 5 });
    expect(result.stderr).toContain("cache is a sentinel");
  });

  withRedis("a flush whose answer is lost is not said to be undone", async () => {
    const info =
      "redis_version:7.0.15\r\nrun_id:x\r\nrole:master\r\ndb0:keys=5,expires=0\r\nmaxmemory:0";
    const server = await startScripted((socket) => {
      const read = makeReplyReader((command) => {
        const [word] = (command as readonly Buffer[]).map(String);
        if (word === "EXEC") socket.destroy();
        else if (!socket.destroyed)
          socket.write(
            word === "INFO" ? bulk(info) : word === "COMMAND" ? "*1\r\n*0\r\n" : "+QUEUED\r\n",
          );
      });
      socket.on("data", read);
    });
    scripted.push(server);
    const config = ground.configFor(server.port);
    const result = await ground.redis("flush", config, "--db", "--yes");
    expect(result).toMatchObject({ code: 3 });
    expect(result.stderr).toContain("what is removed is not known");
    expect(ground.journalOf(server.port)[0]?.outcome).toMatchObject({ state: "unknown" });
  });
});

describe("TLS", () => {
  let server: RedisServer;
  const files = (name: string): string => path.join(ground.folder, "certificates", name);
  beforeAll(async () => {
    if (!ground.lab.services.redis) return;
    const folder = path.dirname(ground.writeFile("certificates/.keep", ""));
    const openssl = (...words: string[]): Promise<unknown> =>
      promisify(execFile)("openssl", words, { cwd: folder });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await openssl("req", "-x509", ...key, ..."-keyout ca.key -out ca.pem -subj /CN=ca".split(" "));
    const name = ["-addext", "subjectAltName=DNS:cache.example.com"];
    const request = "-keyout server.key -out server.csr -subj /CN=cache".split(" ");
    await openssl("req", ...key, ...request, ...name);
    const sign = "-req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem";
    await openssl("x509", ...sign.split(" "), "-copy_extensions", "copy");
    const port = String(await ground.pickPort());
    server = await ground.start(
      [
        ...`--tls-port ${port} --tls-auth-clients optional`.split(" "),
        ...`--tls-cert-file ${files("server.pem")} --tls-key-file ${files("server.key")}`.split(
          " ",
        ),
        "--tls-ca-cert-file",
        files("ca.pem"),
        "--requirepass",
        PASSWORD,
      ],
      PASSWORD,
    );
    server = { ...server, port: Number(port) };
  });
  const configWith = (tls: object): string =>
    ground.configFor(server.port, { password: keepPassword("tls"), tls });

  withRedis("is spoken where it is configured, the certificate checked by its name", async () => {
    const good = configWith({ ca: files("ca.pem"), serverName: "cache.example.com" });
    const info = await ground.redis("info", good, "--json");
    expect(readJson(info)).toMatchObject({ role: "master" });
    const otherName = configWith({ ca: files("ca.pem"), serverName: "other.example.com" });
    const refused = await ground.redis("info", otherName);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("other.example.com");
    const unknown = await ground.redis("info", configWith({ serverName: "cache.example.com" }));
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toMatch(/certificate/);
    const plain = ground.configFor(server.port, { password: keepPassword("tls") });
    expect(await ground.redis("info", plain)).toMatchObject({ code: 1 });
  });

  withRedis("lets in whom its server knows by a certificate", async () => {
    const port = await ground.pickPort();
    await ground.start([
      ...`--tls-port ${port} --tls-auth-clients yes --tls-ca-cert-file ${files("ca.pem")}`.split(
        " ",
      ),
      ...`--tls-cert-file ${files("server.pem")} --tls-key-file ${files("server.key")}`.split(" "),
    ]);
    const known = { ca: files("ca.pem"), serverName: "cache.example.com" };
    const own = { certificate: files("server.pem"), key: files("server.key") };
    const good = ground.configFor(port, { tls: { ...known, ...own } });
    expect(await ground.redis("console", good, "--", "PING")).toMatchObject({ stdout: "PONG\n" });
    expect(await ground.redis("info", good)).toMatchObject({ code: 0 });
    const without = ground.configFor(port, { tls: known });
    expect(await ground.redis("info", without)).toMatchObject({ code: 1, stdout: "" });
    const { environment } = ground;
    const doctor = await runLcops(["doctor", "--json", "--config", without], { environment });
    const findings = JSON.parse(doctor.stdout) as Finding[];
    expect(findings.find(({ name }) => name === "cache")).toMatchObject({
      state: "ok",
      detail: "redis: it wants a certificate",
    });
  });

  withRedis("is spoken by the console and the doctor, too", async () => {
    const good = configWith({ ca: files("ca.pem"), serverName: "cache.example.com" });
    const environment = ground.environment;
    const words = ["redis", "console", "cache", "--config", good, "--", "PING"];
    expect(await runLcops(words, { environment })).toMatchObject({ code: 0, stdout: "PONG\n" });
    const own = await runLcops(words, { environment: { ...environment, PATH: "/nosuch" } });
    expect(own).toMatchObject({ code: 0, stdout: "PONG\n" });
    const doctor = await runLcops(["doctor", "--json", "--config", good], { environment });
    const findings = JSON.parse(doctor.stdout) as Finding[];
    expect(findings.find(({ name }) => name === "cache")).toMatchObject({ state: "ok" });
  });
});

testWith("redis", "hosts")("info through the lab's API hosts", async () => {
  const { environment, lab } = ground;
  for (const [host, keys] of [
    ["prod-api3-1", lab.services.redis?.keys],
    ["dev-api3-2", lab.services.devRedis?.keys],
  ] as const) {
    const result = await runLcops(["redis", "info", host], { environment });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toMatch(new RegExp(`^where\\t\\S+ through ${host}$`, "m"));
    expect(result.stdout).toMatch(
      new RegExp(`^database 0\\t${keys} keys, 300 of which expire$`, "m"),
    );
  }
});
