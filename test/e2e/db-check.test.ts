import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MysqlConfig } from "../../src/config/schema.ts";
import type { CheckReport } from "../../src/consistency/report.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { startLcops } from "../support/run-lcops.ts";

/** A primary and a replica of this file's own, which it stops and spoils. */
const hasReplica = inject("lab").parts.some(
  ({ name, state }) => name === "replica" && state !== "absent",
);
const withPair = test.skipIf(!hasReplica);
let pair: ReplicaPair;
beforeAll(async () => {
  const started = hasReplica ? await startPair() : undefined;
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
  const { subjects } = JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] };
  const reports = subjects.flatMap((subject) => subject.reports);
  return {
    code,
    stderr,
    reports: Object.fromEntries(reports.map((report) => [report.check, report])),
  };
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
        const { code, reports } = await check("--only", "replica");
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
    expect((await check("--only", "replica")).code).toBe(0);
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
      const { code, reports } = await check("--only", "replica");
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
    expect((await check("--only", "replica")).reports["replica"]?.findings).toMatchObject([
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
    // Without the check of health it is no finding, but no success either.
    expect((await check("--only", "replica")).code).toBe(1);
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
      const { code, reports } = await check("--only", "health");
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

withPair(
  "without a replica and anything else nothing is checked, which is no success",
  async () => {
    const service = readService();
    writeService({ ...service, replica: undefined });
    const { code, stderr, reports } = await check("--only", "health,replica");
    expect(code).toBe(1);
    expect(stderr).toMatch(/nothing was checked/);
    expect(reports["replica"]).toMatchObject({
      state: "not configured",
      about: "check has no replica",
    });
    pair.check({ databases: ["school"] });
    // What was named is missed, and what was not is not.
    expect((await check("--only", "replica,references")).code).toBe(3);
    expect((await check()).code).toBe(0);
    pair.check({ databases: ["shop"] });
    writeService(service);
  },
);

withPair(
  "what time is not left for is named, and a run that goes on comes to it",
  async () => {
    await pair.replica("UPDATE shop.customers SET name = 'x' WHERE id = 5");
    const first = await check("--only", "replica", "--budget", "1s");
    expect([1, 3, 4]).toContain(first.code);
    const rest = await check("--only", "replica", "--resume");
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
    const { socket } = pair.lab.services.mysql?.replica ?? { socket: "" };
    const file = pair.lab.services.mysql?.passwordFiles["root"] ?? "";
    const password = readFileSync(file, "utf8");
    const connection = await createConnection({ socketPath: socket, user: "root", password });
    const bookmark = path.join(
      pair.lab.environment["XDG_STATE_HOME"] ?? "",
      "lcops/consistency/check.json",
    );
    const hasSchema = (): boolean => {
      try {
        return readFileSync(bookmark, "utf8").includes("definitions");
      } catch {
        return false;
      }
    };
    try {
      // The rows of the replica are waited for, and the stop comes meanwhile.
      await connection.query("LOCK TABLES shop.customers WRITE");
      const running = startLcops(["db", "check", "--json"], {
        environment: pair.lab.environment,
        timeoutMs: 60_000,
      });
      while (!hasSchema()) await new Promise((resolve) => setTimeout(resolve, 5));
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
        ...["replica", "references", "objects", "search", "items"].map((name) => [
          name,
          "skipped",
          "it was stopped before",
        ]),
      ]);
    } finally {
      await connection.end();
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

withPair.each([
  [["--only", "rows"], /there is no check "rows"/],
  [["--only", "search"], /nothing is configured for the check search of check/],
  [["--budget", "5"], /--budget: "5" is no time/],
  [["nosuch"], /there is nothing to check that is called nosuch; name one of check, school/],
])("%j is refused before anything is asked", async (words, said) => {
  const { code, stdout, stderr } = await pair.lcops(["db", "check", ...words]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(said);
});

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
    expect((await check("--only", "schema")).reports["schema"]?.findings).toEqual([]);
    writeFileSync(
      file,
      declared.replace("name varchar(60)", "name varchar(61)") +
        "CREATE INDEX by_n ON counters (n);\n",
    );
    const { code, reports } = await check("--only", "schema");
    expect(code).toBe(4);
    expect(
      reports["schema"]?.findings.map(({ object, kind, column }) => [object, kind, column]),
    ).toEqual([
      ["index shop.counters.by_n", "extra", undefined],
      ["column shop.customers.name", "declared-otherwise", "type"],
    ]);
    writeFileSync(file, "CREATE TABLE x (");
    const broken = await check("--only", "schema");
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
    const other = await check("--only", "schema");
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
  const { code, reports } = await check("--only", "health,schema,replica");
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
  expect((await check("--only", "replica")).code).toBe(3);
  writeService(service);
  await pair.primary("DROP USER half@'%'");
});

withPair(
  "a database that is on the replica alone is found where all of them are asked for",
  async () => {
    await pair.replica("CREATE DATABASE stray; GRANT SELECT ON stray.* TO app@'%'");
    pair.check({});
    try {
      const { code, reports } = await check("--only", "schema");
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
  const { code, reports } = await check("--only", "replica");
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
  expect(await check("--only", "replica,schema,references")).toMatchObject({ code: 1 });
  pair.check({ databases: ["shop"] });
});
