import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import type { CheckReport } from "../../src/consistency/report.ts";
import { startRelay } from "../lab/relay.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { startLcops } from "../support/run-lcops.ts";
import { stateOf } from "../support/lab.ts";

/** A primary and a replica of this file's own, which it stops and spoils. */
const withPair = test.skipIf(stateOf("replica") === "absent");
let pair: ReplicaPair;
beforeAll(async () => {
  const started = await startPair();
  if (!started) return;
  pair = started;
  await pair.primary(
    `CREATE DATABASE shop; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO app@'%'; USE shop;
     CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL) ENGINE=InnoDB;
     INSERT INTO customers (name) SELECT CONCAT('customer ', seq) FROM seq_1_to_20000;
     CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL, other INT NOT NULL DEFAULT 0) ENGINE=InnoDB;
     INSERT INTO counters (id, n) SELECT seq, 0 FROM seq_1_to_50;`,
  );
  await pair.settle();
  pair.check({ databases: ["shop"] });
}, 60_000);
afterAll(() => pair?.stop());

/** The service that is checked, and its replica, as the configuration has them. */
function readService(): MysqlConfig & { replica: { address: string; port: number } } {
  return structuredClone(pair.config.services?.["school"]) as ReturnType<typeof readService>;
}
const writeService = (service: object): void =>
  pair.configure(({ services }) => Object.assign(services ?? {}, { school: service }));

interface Outcome {
  code: number | null;
  stderr: string;
  reports: Record<string, CheckReport>;
}
async function check(...words: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await pair.lcops(["db", "check", "--json", ...words]);
  return { code, stderr, ...readOutcome(stdout) };
}
function readOutcome(stdout: string): Pick<Outcome, "reports"> {
  const { subjects } = JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] };
  const reports = subjects.flatMap((subject) => subject.reports);
  return { reports: Object.fromEntries(reports.map((report) => [report.check, report])) };
}

/** Starts a check, and returns once it waits for the rows of a table that is locked on the replica; it waits until `release`. */
async function startHeld(...words: string[]) {
  const { socket } = pair.lab.services.mysql?.replica ?? { socket: "" };
  const file = pair.lab.services.mysql?.passwordFiles["root"] ?? "";
  const password = readFileSync(file, "utf8");
  const holder = await createConnection({ socketPath: socket, user: "root", password });
  await holder.query("LOCK TABLES shop.customers WRITE");
  const running = startLcops(["db", "check", "--json", ...words], {
    environment: pair.lab.environment,
    timeoutMs: 60_000,
  });
  for (let isHeld = false; !isHeld;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [rows] = await holder.query("SHOW FULL PROCESSLIST");
    isHeld = (rows as { State: string | null; Info: string | null }[]).some(
      ({ State, Info }) => /lock/i.test(State ?? "") && /FROM `shop`.`customers`/.test(Info ?? ""),
    );
  }
  return { running, release: () => holder.end() };
}

withPair(
  "where all is well it is silent in a pipe, tells with -v, and writes nothing",
  async () => {
    const position = await pair.primary("SELECT @@gtid_binlog_pos");
    expect(await pair.lcops(["db", "check"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const told = await pair.lcops(["dbConsistency", "-v"]);
    expect(told.stdout).toMatch(/^check\treplica\tchecked\t20050 rows, 2 tables\t0$/m);
    expect(told.stdout).toMatch(/^check\tsearch\tnot configured\t/m);
    expect(await pair.primary("SELECT @@gtid_binlog_pos")).toBe(position);
    expect((await pair.replica("SELECT @@gtid_binlog_pos")).trim()).toBe(position.trim());
  },
);

withPair("it cannot write, whatever its user may", async () => {
  const { openServer } = await import("../../src/services/mysql/open-server.ts");
  const { openReader } = await import("../../src/services/mysql/open-reader.ts");
  const { address, port } = pair.lab.services.mysql?.primary ?? { address: "", port: 0 };
  await pair.primary("GRANT INSERT, CREATE ON shop.* TO app@'%'");
  const server = await openServer({
    name: "school",
    config: { kind: "mysql", port, user: "app" },
    endpoint: () => Promise.resolve({ host: address, port }),
    password: () =>
      Promise.resolve(readFileSync(pair.lab.services.mysql?.passwordFiles["app"] ?? "", "utf8")),
  });
  const reader = await openReader(server);
  try {
    for (const sql of [
      "INSERT INTO shop.customers (name) VALUES ('x')",
      "CREATE TABLE shop.checksums (id INT)",
    ])
      await expect(reader.query(sql)).rejects.toThrow(/READ ONLY transaction/);
  } finally {
    await reader.close();
    await server.close();
    await pair.primary("REVOKE INSERT, CREATE ON shop.* FROM app@'%'");
  }
});

withPair(
  "under steady writes nothing is found that is not so, and what is so is",
  async () => {
    const file = pair.lab.services.mysql?.passwordFiles["root"] ?? "";
    expect(readFileSync(file, "utf8")).not.toBe("");
    await pair.replica("UPDATE shop.customers SET name = 'somebody else' WHERE id = 4321");
    const { socket } = pair.lab.services.mysql?.primary ?? { socket: "" };
    const login = { socketPath: socket, user: "root", password: readFileSync(file, "utf8") };
    let isOver = false;
    let writes = 0;
    const writers = Array.from({ length: 2 }, async () => {
      const connection = await createConnection(login);
      while (!isOver) {
        const id = 1 + Math.floor(Math.random() * 20_000);
        if (id !== 4321)
          await connection.query(
            "UPDATE shop.customers SET name = CONCAT('c', RAND()) WHERE id = ?",
            [id],
          );
        await connection.query("INSERT INTO shop.customers (name) VALUES ('new')");
        await connection.query("DELETE FROM shop.customers WHERE id > 20000 ORDER BY id LIMIT 1");
        writes += 3;
      }
      await connection.end();
    });
    try {
      for (let round = 0; round < 4; round++) {
        const { code, reports } = await check();
        expect(reports["replica"]?.findings).toMatchObject([
          { object: "shop.customers", key: "id=4321", column: "name", kind: "changed" },
        ]);
        expect(code).toBe(4);
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
    expect(writes).toBeGreaterThan(300);
    await pair.replica(
      "UPDATE shop.customers SET name = (SELECT name FROM (SELECT 'customer 4321' AS name) AS x) WHERE id = 4321",
    );
    await pair.settle();
    expect((await check()).code).toBe(0);
  },
  120_000,
);

withPair(
  "a row that is never twice the same is not decided on, and that is said",
  async () => {
    const file = pair.lab.services.mysql?.passwordFiles["root"] ?? "";
    const { socket } = pair.lab.services.mysql?.primary ?? { socket: "" };
    await pair.replica("UPDATE shop.counters SET other = 5 WHERE id = 7");
    const connection = await createConnection({
      socketPath: socket,
      user: "root",
      password: readFileSync(file, "utf8"),
    });
    // Only what is written goes to the replica, so that it stays apart.
    await connection.query("SET SESSION binlog_row_image = MINIMAL");
    let isOver = false;
    const writer = (async () => {
      while (!isOver) await connection.query("UPDATE shop.counters SET n = n + 1 WHERE id = 7");
      await connection.end();
    })();
    try {
      const { code, reports } = await check();
      expect(reports["replica"]?.findings).toEqual([]);
      expect(reports["replica"]?.skipped).toMatchObject([
        {
          object: "shop.counters",
          why: expect.stringMatching(/^1 row changed whenever .*: id=7$/),
        },
      ]);
      expect(code).toBe(3);
    } finally {
      isOver = true;
      await writer;
      await pair.settle();
    }
    expect((await check()).reports["replica"]?.findings).toMatchObject([
      { object: "shop.counters", key: "id=7", column: "other" },
    ]);
    await pair.replica("UPDATE shop.counters SET other = 0 WHERE id = 7");
  },
  60_000,
);

withPair("a replica that is stopped is found, and its rows are not waited for", async () => {
  await pair.replica("STOP SLAVE SQL_THREAD");
  try {
    const { code, reports } = await check();
    expect(code).toBe(4);
    expect(reports["health"]?.findings).toMatchObject([
      { object: "school-replica", kind: "stopped" },
    ]);
    expect(reports["replica"]).toMatchObject({ state: "skipped" });
    expect(reports["replica"]?.skipped[0]?.why).toMatch(/the replica is stopped/);
  } finally {
    await pair.replica("START SLAVE SQL_THREAD");
    await pair.settle();
  }
});

withPair(
  "a replica that stays behind is found by what it has not got",
  async () => {
    pair.check({ databases: ["shop"], maxLagSeconds: 1 });
    await pair.replica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE");
    try {
      await pair.primary(
        "UPDATE shop.counters SET n = 0 WHERE id = 8; UPDATE shop.counters SET n = 1 WHERE id = 8",
      );
      const { code, reports } = await check();
      expect(code).toBe(4);
      expect(reports["health"]?.findings.map(({ kind }) => kind)).toContain("delayed");
    } finally {
      await pair.replica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE");
      await pair.settle();
      pair.check({ databases: ["shop"] });
    }
  },
  60_000,
);

withPair("two names of one server are found out", async () => {
  const service = readService();
  const { address, port } = pair.lab.services.mysql?.primary ?? { address: "", port: 0 };
  writeService({ ...service, replica: { address, port } });
  const { code, reports } = await check();
  expect(code).toBe(4);
  expect(reports["health"]?.findings.map(({ kind }) => kind)).toContain("same-server");
  expect(reports["replica"]?.state).toBe("skipped");
  writeService(service);
});

withPair("a replica that nobody reaches is not checked, and the rest is", async () => {
  const service = readService();
  writeService({ ...service, replica: { ...service.replica, port: 9 } });
  pair.check({ databases: ["shop", "school"] });
  const { code, reports } = await check();
  writeService(service);
  pair.check({ databases: ["shop"] });
  expect(code).toBe(3);
  for (const name of ["health", "schema", "replica"])
    expect(reports[name]?.skipped[0]?.why).toMatch(/ECONNREFUSED/);
  expect(reports["references"]).toMatchObject({ state: "checked", skipped: [] });
});

withPair("a server that nobody reaches is said once, with the checks that miss it", async () => {
  const service = readService();
  writeService({ ...service, port: 9 });
  const { code, stdout, stderr } = await pair.lcops(["db", "check"]);
  const { reports } = await check();
  writeService(service);
  pair.check({ databases: ["shop"] });
  expect(code).toBe(1);
  const why = "check: school: connect ECONNREFUSED \\S+:9; see lcops doctor";
  const said = stdout.split("\n").filter((line) => line.includes("ECONNREFUSED"));
  expect(said).toEqual([
    expect.stringMatching(`^health, schema, replica, references: not checked: ${why}$`),
  ]);
  expect(stderr).toMatch(
    new RegExp(`^lcops: check: 4 not checked, nothing was checked: ${why}\n$`),
  );
  // What nobody has configured is no gap here either.
  for (const name of ["objects", "search", "items"])
    expect(reports[name]).toMatchObject({ state: "not configured", skipped: [] });
});

withPair(
  "without a replica and anything else nothing is checked, which is no success",
  async () => {
    const service = readService();
    writeService({ ...service, replica: undefined });
    const { code, stderr, reports } = await check();
    expect(code).toBe(1);
    expect(stderr).toMatch(/nothing was checked/);
    expect(reports["replica"]).toMatchObject({
      state: "not configured",
      about: "check has no replica",
    });
    pair.check({ databases: ["school"] });
    // What nobody has configured is no gap.
    expect((await check()).code).toBe(0);
    pair.check({ databases: ["shop"] });
    writeService(service);
  },
);

withPair(
  "what time is not left for is named, and a run that goes on comes to it",
  async () => {
    await pair.replica("UPDATE shop.customers SET name = 'x' WHERE id = 5");
    const first = await check("--budget", "1s");
    expect([1, 3, 4]).toContain(first.code);
    const rest = await check("--resume");
    expect(rest.code).toBe(4);
    expect(rest.reports["replica"]?.findings).toMatchObject([{ key: "id=5" }]);
    await pair.replica("UPDATE shop.customers c SET name = 'customer 5' WHERE id = 5");
    await pair.primary("UPDATE shop.customers c SET name = 'customer 5' WHERE id = 5");
    await pair.settle();
  },
  60_000,
);

withPair(
  "a stop leaves one whole document, and what was not done stands in it",
  async () => {
    const { running, release } = await startHeld();
    try {
      running.send("SIGINT");
      const { code, stdout } = await running.ended;
      expect(code).toBe(130);
      const { isStopped, subjects } = JSON.parse(stdout) as {
        isStopped: boolean;
        subjects: { reports: CheckReport[] }[];
      };
      expect(isStopped).toBe(true);
      expect(
        subjects[0]?.reports.map((report) => [report.check, report.state, report.skipped[0]?.why]),
      ).toEqual([
        ["health", "checked", undefined],
        ["schema", "checked", undefined],
        // Of its two tables one was done.
        ["replica", "checked", "it was stopped before"],
        ["references", "skipped", "it was stopped before"],
        ...["objects", "search", "items"].map((name) => [name, "not configured", undefined]),
      ]);
    } finally {
      await release();
    }
  },
  60_000,
);

withPair("a MySQL service that no entry has is named, and is no gap", async () => {
  pair.configure(({ services }) => Object.assign(services ?? {}, { other: readService() }));
  const { code, stdout } = await pair.lcops(["db", "check", "-v"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^not configured: no entry of consistency has (school, )?other; /m);
  const named = await pair.lcops(["db", "check", "check", "-v"]);
  expect(named.stdout).not.toContain("no entry of consistency");
  pair.configure(({ services }) => delete services?.["other"]);
});

withPair(
  "another configuration of any service is nothing to go on with",
  async () => {
    await pair.replica("UPDATE shop.counters SET other = 5 WHERE id = 7");
    const { running, release } = await startHeld();
    running.send("SIGINT");
    await running.ended;
    await release();
    await pair.replica("UPDATE shop.counters SET other = 0 WHERE id = 7");
    const extra = { kind: "redis", environment: "dev", address: "127.0.0.1", port: 1 };
    pair.configure(({ services }) => Object.assign(services ?? {}, { extra }));
    expect(await check("--resume")).toMatchObject({ code: 0 });
    pair.configure(({ services }) => delete services?.["extra"]);
  },
  60_000,
);

withPair(
  "a link that is cut silently amid a question ends with the budget, and a run that goes on comes to the rest",
  async () => {
    const service = readService();
    const { address: host, port } = pair.lab.services.mysql?.replica ?? { address: "", port: 0 };
    const relay = await startRelay({ host, port });
    writeService({ ...service, replica: { address: relay.address, port: relay.port } });
    await pair.replica("UPDATE shop.counters SET other = 5 WHERE id = 7");
    try {
      const { running, release } = await startHeld("--budget", "6s");
      const began = performance.now();
      relay.stall();
      await release();
      const { code, stdout } = await running.ended;
      // Six seconds, three of grace, and what a machine with other things to do takes to start and to end.
      expect(performance.now() - began).toBeLessThan(14_000);
      const { reports } = readOutcome(stdout);
      const why = "the time for it is over; go on with --resume";
      expect(reports["replica"]).toMatchObject({
        findings: [{ object: "shop.counters", key: "id=7", column: "other" }],
        skipped: [{ object: "shop.customers", why }],
      });
      expect(reports["references"]).toMatchObject({ state: "skipped", skipped: [{ why }] });
      expect(code).toBe(4);
      relay.resume();
      const rest = await check("--resume");
      expect(rest.code).toBe(4);
      expect(rest.reports["replica"]).toMatchObject({
        findings: [{ key: "id=7" }],
        skipped: [],
        looked: { tables: 2, rows: 20_050 },
      });
    } finally {
      await relay.close();
      writeService(service);
      await pair.replica("UPDATE shop.counters SET other = 0 WHERE id = 7");
    }
  },
  90_000,
);

withPair(
  "a server that is behind a link that swallows all from the beginning is not waited for either",
  async () => {
    const service = readService();
    const { address: host, port } = pair.lab.services.mysql?.primary ?? { address: "", port: 0 };
    const relay = await startRelay({ host, port });
    writeService({ ...service, address: relay.address, port: relay.port });
    relay.stall();
    const began = performance.now();
    try {
      const { code, reports } = await check("--budget", "1s");
      expect(performance.now() - began).toBeLessThan(9_000);
      expect(code).toBe(1);
      for (const name of ["health", "schema", "replica", "references"])
        expect(reports[name]?.skipped.map(({ why }) => why)).toEqual([
          "the time for it is over; go on with --resume",
        ]);
    } finally {
      await relay.close();
      writeService(service);
    }
  },
  60_000,
);

withPair(
  "a baseline bears what is known until its day, and no longer",
  async () => {
    await pair.replica("UPDATE shop.counters SET n = 77 WHERE id = 9");
    const file = path.join(pair.lab.folder, "baseline.json");
    const bear = (until: string): void =>
      writeFileSync(
        file,
        JSON.stringify({
          known: [
            { id: "replica shop.counters changed id=9 n", owner: "me", reason: "a test", until },
            { id: "replica shop.counters changed id=10 n", owner: "me", reason: "gone", until },
          ],
        }),
      );
    pair.check({ databases: ["shop"], baseline: file });
    bear("2999-12-31");
    const borne = await pair.lcops(["db", "check", "-v"]);
    expect(borne.code).toBe(0);
    expect(borne.stdout).toMatch(/known until 2999-12-31: me, a test/);
    expect(borne.stderr).toContain("still in the baseline: replica shop.counters changed id=10 n");
    bear("2020-01-01");
    const over = await pair.lcops(["db", "check"]);
    expect(over.code).toBe(4);
    expect(over.stdout).toContain("known until 2020-01-01, which is over");
    expect((await pair.lcops(["doctor"])).stdout).toMatch(
      /^warn\tconsistency\tcheck\t2 of 2 known findings are borne no longer: replica shop\.counters changed id=9 n \(me, until 2020-01-01\)/m,
    );
    for (const text of ["{", '{"known": [{"id": "x"}]}', '{"known": 1}']) {
      writeFileSync(file, text);
      expect(await pair.lcops(["db", "check"])).toMatchObject({ code: 2, stdout: "" });
    }
    await pair.replica(
      "UPDATE shop.counters SET n = (SELECT n FROM (SELECT 0 AS n) AS x) WHERE id = 9",
    );
    pair.check({ databases: ["shop"] });
  },
  60_000,
);

withPair.each([[["--budget", "5"], /--budget: "5" is no time/]])(
  "%j is refused before anything is asked",
  async (words, said) => {
    const { code, stdout, stderr } = await pair.lcops(["db", "check", ...words]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(said);
  },
);

withPair(
  "a schema is compared with a folder of SQL files, and with another service",
  async () => {
    const folder = path.join(pair.lab.folder, "schema");
    const { mkdirSync } = await import("node:fs");
    mkdirSync(folder);
    const file = path.join(folder, "shop.sql");
    const declared = `CREATE TABLE customers (id integer NOT NULL AUTO_INCREMENT, name varchar(60) NOT NULL, PRIMARY KEY (id));
CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL, other int NOT NULL DEFAULT 0);
`;
    pair.check({ databases: ["shop"], schema: { folder } });
    writeFileSync(file, declared);
    expect((await check()).reports["schema"]?.findings).toEqual([]);
    writeFileSync(
      file,
      declared.replace("name varchar(60)", "name varchar(61)") +
        "CREATE INDEX by_n ON counters (n);\n",
    );
    const { code, reports } = await check();
    expect(code).toBe(4);
    expect(
      reports["schema"]?.findings.map(({ object, kind, column }) => [object, kind, column]),
    ).toEqual([
      ["index shop.counters.by_n", "extra", undefined],
      ["column shop.customers.name", "declared-otherwise", "type"],
    ]);
    writeFileSync(file, "CREATE TABLE x (");
    const broken = await check();
    expect(broken.code).toBe(3);
    expect(broken.reports["schema"]?.skipped[0]?.why).toMatch(/shop\.sql: .*ERROR 1064/);
    // The replica in the place of another environment's server.
    const { replica, ...service } = readService();
    pair.configure(({ services }) =>
      Object.assign(services ?? {}, {
        other: { ...service, ...replica },
      }),
    );
    pair.check({ databases: ["shop"], schema: { services: ["other"] } });
    await pair.replica("CREATE INDEX by_name ON shop.customers (name)");
    const other = await check();
    expect(
      other.reports["schema"]?.findings.map(({ object, kind, detail }) => [object, kind, detail]),
    ).toEqual(
      ["school-replica", "other"].map((name) => [
        "index shop.customers.by_name",
        "extra",
        `it is on ${name} only`,
      ]),
    );
    await pair.replica("DROP INDEX by_name ON shop.customers");
    pair.check({ databases: ["shop"] });
  },
  120_000,
);

withPair("what its user may not see is not taken for well", async () => {
  await pair.primary(
    "CREATE USER half@'%' IDENTIFIED BY 'half'; GRANT SELECT ON shop.counters TO half@'%'",
  );
  await pair.settle();
  const service = readService();
  const file = path.join(pair.lab.folder, "half");
  writeFileSync(file, "half", { mode: 0o600 });
  writeService({ ...service, user: "half", password: `\${file:${file}}` });
  const { code, reports } = await check();
  expect(code).toBe(3);
  expect(reports["health"]?.skipped[0]?.why).toMatch(/GRANT REPLICA MONITOR/);
  expect(reports["schema"]?.skipped[0]?.why).toMatch(
    /GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`\.\* TO 'half'@'%';.*mysql\.proc/,
  );
  expect(reports["replica"]?.looked).toEqual({ tables: 1, rows: 50 });
  const why = "its user is not shown all of it; GRANT SELECT ON `shop`.* TO 'half'@'%';";
  expect(reports["replica"]?.skipped).toEqual([
    { object: "school", why },
    { object: "school-replica", why },
  ]);
  writeService(service);
  await pair.primary("DROP USER half@'%'");
});

withPair(
  "a database that is on the replica alone is found where all of them are asked for",
  async () => {
    await pair.replica("CREATE DATABASE stray; GRANT SELECT ON stray.* TO app@'%'");
    pair.check({});
    try {
      const { code, reports } = await check();
      expect(code).toBe(4);
      expect(reports["schema"]?.findings).toMatchObject([
        { object: "database stray", kind: "extra", against: "school-replica" },
      ]);
    } finally {
      await pair.replica("DROP DATABASE stray; REVOKE SELECT ON stray.* FROM app@'%'");
      pair.check({ databases: ["shop"] });
    }
  },
);

withPair("a database that is not there, and tables that are left out, are named", async () => {
  pair.check({ databases: ["shop", "nosuch"], exclude: ["shop.customers"] });
  const { code, reports } = await check();
  expect(code).toBe(3);
  expect(reports["replica"]).toMatchObject({
    looked: { tables: 1, rows: 50 },
    excluded: ["shop.customers"],
    skipped: ["school", "school-replica"].map((name) => ({
      object: `database nosuch on ${name}`,
      why: "its user is shown no such database",
    })),
  });
  pair.check({ databases: ["nosuch"] });
  expect(await check()).toMatchObject({
    code: 3,
    reports: { replica: { state: "skipped" }, schema: { state: "skipped" } },
  });
  pair.check({ databases: ["shop"] });
});
