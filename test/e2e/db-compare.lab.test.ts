import { afterAll, beforeAll, expect, test } from "vitest";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import type { CheckReport } from "../../src/consistency/report.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { stateOf } from "../support/lab.ts";

/** Two servers of this file's own, the second of which follows the first and stands in the configuration as a service of development. */
const withPair = test.skipIf(stateOf("replica") === "absent");
let pair: ReplicaPair;
beforeAll(async () => {
  const started = await startPair();
  if (!started) return;
  pair = started;
  await pair.primary(
    `CREATE DATABASE shop; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON shop.* TO app@'%'; USE shop;
     CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL) ENGINE=InnoDB;
     INSERT INTO customers (name) SELECT CONCAT('customer ', seq) FROM seq_1_to_5000;`,
  );
  await pair.settle();
  pair.configure(({ services = {} }) => {
    const { replica, ...school } = structuredClone(services["school"]) as MysqlConfig;
    services["copy"] = { ...school, ...replica, environment: "dev" } as MysqlConfig;
  });
}, 60_000);
afterAll(() => pair?.stop());

async function compare(
  ...words: string[]
): Promise<{ code: number | null; reports: CheckReport[]; stderr: string }> {
  const { code, stdout, stderr } = await pair.lcops(["db", "compare", ...words, "--json"]);
  const { subjects } = JSON.parse(stdout) as { subjects?: { reports: CheckReport[] }[] };
  return { code, stderr, reports: subjects?.flatMap(({ reports }) => reports) ?? [] };
}
const seen = (reports: readonly CheckReport[]) =>
  reports.flatMap(({ check, findings }) =>
    findings.map(({ object, key, column, kind }) => [check, object, key, column, kind]),
  );

withPair(
  "two servers differ in what they declare and in their rows",
  async () => {
    const alike = await compare("school", "copy");
    expect(alike).toMatchObject({ code: 0, reports: [{ check: "schema" }, { check: "rows" }] });
    expect(alike.reports[1]?.looked["rows"]).toBeGreaterThan(5_000);
    expect(await pair.lcops(["db", "compare", "school", "copy"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
    await pair.replica(
      "UPDATE shop.customers SET name = 'Customer 17' WHERE id = 17; CREATE INDEX by_name ON shop.customers (name)",
    );
    try {
      const { code, reports } = await compare("school/shop", "copy/shop");
      expect(code).toBe(4);
      expect(seen(reports)).toEqual([
        ["schema", "index shop.customers.by_name", undefined, undefined, "extra"],
        ["rows", "shop.customers", "id=17", "name", "changed"],
      ]);
      // Two environments have rows of their own.
      const environments = await compare("prod", "dev");
      expect(environments.code).toBe(4);
      expect(environments.reports.map(({ check, state }) => [check, state])).toEqual([
        ["schema", "checked"],
        ["rows", "not configured"],
      ]);
    } finally {
      await pair.replica(
        "DROP INDEX by_name ON shop.customers; UPDATE shop.customers SET name = 'customer 17' WHERE id = 17",
      );
    }
  },
  60_000,
);

withPair(
  "a server differs from a backup set in what has changed since, and keeps its rows",
  async () => {
    const made = await pair.lcops(["backup", "run", "mysql", "--json"], { timeoutMs: 90_000 });
    expect(made.code, made.stderr).toBe(0);
    const unchanged = await compare("school", "mysql");
    expect(unchanged.code, `${unchanged.stderr}${JSON.stringify(unchanged.reports)}`).toBe(0);
    await pair.primary(
      "UPDATE shop.customers SET name = 'x' WHERE id = 3; DELETE FROM shop.customers WHERE id = 4",
    );
    const { code, reports } = await compare("mysql", "school/shop");
    expect(code).toBe(4);
    expect(seen(reports)).toEqual([
      ["rows", "shop.customers", "id=3", "name", "changed"],
      ["rows", "shop.customers", "id=4", undefined, "extra"],
    ]);
    expect(await pair.primary("SELECT COUNT(*) FROM shop.customers")).toBe("4999\n");
    await pair.primary(
      "UPDATE shop.customers SET name = 'customer 3' WHERE id = 3; INSERT INTO shop.customers VALUES (4, 'customer 4')",
    );
    // What it is without is no reason to have compared nothing.
    await pair.primary("CREATE DATABASE later; GRANT SELECT ON later.* TO app@'%'");
    const missing = ["schema", "database later", undefined, undefined, "missing"];
    for (const server of ["school", "school/later"]) {
      const later = await compare(server, "mysql");
      expect(later.code).toBe(4);
      expect(seen(later.reports)).toEqual([missing]);
    }
    await pair.primary("DROP DATABASE later; REVOKE SELECT ON later.* FROM app@'%'");
    await pair.settle();
  },
  120_000,
);

withPair.each([
  [["school", "school"], 2, /both names lead to one and the same server/],
  [["school", "nosuch"], 2, /there is no set nosuch; see lcops backup list/],
])("%j is refused", async (words, code, said) => {
  const result = await pair.lcops(["db", "compare", ...words]);
  expect(result).toMatchObject({ code, stdout: "" });
  expect(result.stderr).toMatch(said);
});

withPair("a side that does not answer is a failure, and is named", async () => {
  const copy = structuredClone(pair.config.services?.["copy"]) as MysqlConfig;
  pair.configure(({ services = {} }) => void (services["copy"] = { ...copy, port: 9 }));
  try {
    const { code, stderr } = await pair.lcops(["db", "compare", "school", "copy"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lcops: copy: .*ECONNREFUSED/);
  } finally {
    pair.configure(({ services = {} }) => void (services["copy"] = copy));
  }
});

withPair(
  "a database that one side has not got is a finding, and no rows of it are missed",
  async () => {
    await pair.replica("CREATE DATABASE stray; GRANT SELECT ON stray.* TO app@'%'");
    try {
      const { code, reports } = await compare("school", "copy");
      expect(code).toBe(4);
      expect(seen(reports)).toContainEqual([
        "schema",
        "database stray",
        undefined,
        undefined,
        "missing",
      ]);
    } finally {
      await pair.replica("DROP DATABASE stray; REVOKE SELECT ON stray.* FROM app@'%'");
    }
  },
);
