import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect } from "vitest";
import type { CheckName, CheckReport } from "../../src/consistency/report.ts";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import type { Config } from "../support/known-config.ts";
import type { ConsistencyConfig } from "../../src/config/consistency-schema.ts";
import { askDynamoDb } from "../lab/ask-dynamodb.ts";
import { startRelay } from "../lab/relay.ts";
import { type Ground, makeGround } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { runLcops } from "../support/run-lcops.ts";
import { sendSql as sendLabSql } from "../support/send-sql.ts";

/** A database of this file's own in the lab's primary, and what belongs to its rows in a bucket, an index and a table. */
const withReplica = testWith("mysql", "replica");
const withS3 = testWith("mysql", "replica", "s3");
const withDynamo = testWith("mysql", "replica", "dynamodb");
const withSearch = testWith("mysql", "replica", "elasticsearch", "hosts");

let ground: Ground;
let configPath = "";
const name = `belongings-${process.pid}`;
const sendSql = (sql: string): Promise<string> => sendLabSql(ground.lab, `USE belongings; ${sql}`);

beforeAll(async () => {
  ground = await makeGround();
  if (!ground.lab.services.mysql) return;
  await sendLabSql(
    ground.lab,
    `CREATE DATABASE belongings; GRANT SELECT, SHOW VIEW ON belongings.* TO app@'%'; USE belongings;
     CREATE TABLE parents (id INT PRIMARY KEY, code VARCHAR(9) COLLATE utf8mb4_unicode_ci NOT NULL UNIQUE) ENGINE=InnoDB;
     CREATE TABLE children (id INT PRIMARY KEY, parent INT, soft INT NOT NULL DEFAULT 0, code VARCHAR(9) COLLATE utf8mb4_bin,
       CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE=InnoDB;
     INSERT INTO parents SELECT seq, CONCAT('p', seq) FROM seq_1_to_100;
     INSERT INTO children SELECT seq, seq % 100 + 1, seq % 101, 'p1' FROM seq_1_to_1000;
     CREATE TABLE files (id INT PRIMARY KEY, s3_key VARCHAR(200) COLLATE utf8mb4_bin, bytes INT, written DATETIME NOT NULL DEFAULT '2020-01-01') ENGINE=InnoDB;
     CREATE TABLE posts (id INT PRIMARY KEY, updated_at DATETIME NOT NULL) ENGINE=InnoDB;
     CREATE TABLE patterns (school VARCHAR(20), day DATE, PRIMARY KEY (school, day)) ENGINE=InnoDB;`,
  );
});
afterAll(async () => {
  if (ground.lab.services.mysql)
    await sendLabSql(
      ground.lab,
      "DROP DATABASE belongings; REVOKE ALL ON belongings.* FROM app@'%';",
    );
  ground.remove();
});

function configure(entry: Partial<ConsistencyConfig>, services: Config["services"] = {}): void {
  configPath = ground.deriveConfig((config) => {
    // What the replica has got of all this is not what is looked at here.
    const alone = structuredClone(config.services?.["school"]) as MysqlConfig;
    delete alone.replica;
    Object.assign(config.services ?? {}, { alone }, services);
    config.consistency = {
      shop: { service: "alone", databases: ["belongings"], ...entry },
    };
  });
}
/** Returns the report of one check, and the exit code of all. */
async function check(
  name: CheckName,
  words: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; report: CheckReport }> {
  const { code, stdout, stderr } = await runLcops(
    ["db", "check", "shop", "--json", "--config", configPath, ...words],
    { environment: { ...ground.environment, ...environment }, timeoutMs: 60_000 },
  );
  if (stdout === "") throw new Error(stderr);
  const parsed = JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] };
  const report = parsed.subjects[0]?.reports.find((one) => one.check === name);
  if (!report) throw new Error(stdout);
  return { code, report };
}
/** Has a check asked over a link that swallows all, and expects that the budget ends it. */
async function checkInSilence(
  name: CheckName,
  url: string,
  reachBy: (url: string) => NodeJS.ProcessEnv,
): Promise<void> {
  const { hostname: host, port } = new URL(url);
  const relay = await startRelay({ host, port: Number(port) });
  relay.stall();
  try {
    const began = performance.now();
    const environment = reachBy(`http://${relay.address}:${relay.port}`);
    const { report } = await check(name, ["--budget", "4s"], environment);
    // Four seconds, three of grace, two in which a cluster is given back what it holds, and what a machine with other things to do takes to start.
    expect(performance.now() - began).toBeLessThan(16_000);
    expect(relay.counters().connections).toBeGreaterThan(0);
    expect(report).toMatchObject({
      state: "skipped",
      skipped: [{ why: "the time for it is over; go on with --resume" }],
    });
  } finally {
    await relay.close();
  }
}
const seen = ({ findings }: CheckReport) =>
  findings.map(({ object, key, column, kind }) => [object, key, column, kind]);

withReplica(
  "foreign keys of tables that its user is not shown are not taken for none",
  async () => {
    await sendLabSql(
      ground.lab,
      `CREATE DATABASE halfshown; USE halfshown; CREATE TABLE shown (id INT PRIMARY KEY) ENGINE=InnoDB;
     CREATE TABLE hidden (id INT PRIMARY KEY, of INT, FOREIGN KEY (of) REFERENCES shown (id)) ENGINE=InnoDB;
     GRANT SELECT ON halfshown.shown TO app@'%';`,
    );
    try {
      configure({ databases: ["halfshown"] });
      expect((await check("references")).report).toMatchObject({
        state: "skipped",
        skipped: [
          { why: expect.stringContaining("its user is not shown all of it; GRANT SELECT") },
        ],
      });
    } finally {
      await sendLabSql(
        ground.lab,
        "REVOKE SELECT ON halfshown.shown FROM app@'%'; DROP DATABASE halfshown;",
      );
    }
  },
);

withReplica(
  "declared and configured references without their row are found, and no others",
  async () => {
    const soft = {
      table: "children",
      column: "soft",
      toTable: "belongings.parents",
      toColumn: "id",
    };
    configure({ references: [{ ...soft, nullValues: ["0"] }] });
    expect(await check("references")).toMatchObject({
      code: 0,
      report: { looked: { "foreign keys": 1, "configured references": 1 } },
    });
    await sendSql(
      "SET foreign_key_checks = 0; INSERT INTO children VALUES (5001, 777, 1, NULL), (5002, 1, 888, NULL)",
    );
    const { code, report } = await check("references");
    expect(code).toBe(4);
    const relation = "belongings.children.soft → belongings.parents.id";
    expect(seen(report)).toEqual([
      ["belongings.children.of_parent", "id=5001", "parent", "orphan"],
      [relation, "id=5002", "soft", "orphan"],
    ]);
    configure({
      references: [
        { table: "children", column: "code", toTable: "parents", toColumn: "code" },
        { table: "children", column: "nosuch", toTable: "parents", toColumn: "id" },
        { table: "nosuch", column: "id", toTable: "parents", toColumn: "id" },
        soft,
      ],
    });
    const more = await check("references");
    expect(seen(more.report).slice(0, 2)).toEqual([
      ["belongings.children.of_parent", "id=5001", "parent", "orphan"],
      ["belongings.children.code → belongings.parents.code", undefined, "code", "mismatch"],
    ]);
    // Without its null values each 0 refers to nothing.
    expect(more.report.findings.filter(({ object }) => object === relation)).toHaveLength(10);
    expect(more.report.skipped.map(({ why }) => why)).toEqual([
      "there is no column nosuch in children",
      "there is no table belongings.nosuch",
    ]);
    await sendSql("DELETE FROM children WHERE id > 5000");
  },
);

withS3(
  "objects that are missing, left over, or of another size are found with their row",
  async () => {
    const { s3 } = ground.lab;
    if (!s3) throw new Error("no S3");
    const client = new S3Client({
      region: s3.region,
      endpoint: s3.url,
      forcePathStyle: true,
      credentials: s3.account,
    });
    const put = (key: string, body = "abc") =>
      client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: body }));
    try {
      // The last has characters that no XML carries as they are.
      const keys = ["a.mp3", "b c+d.mp3", "ü/é 学生.txt", "e%2F.txt", "same.txt", "a\rb\u0001"].map(
        (key) => `${name}/${key}`,
      );
      for (const key of keys) await put(key);
      await put(`${name}-other/never-listed`);
      const quoted = keys.map((key, index) => `(${index + 1}, '${key}', 3, '2020-01-01')`);
      await sendSql(
        `INSERT INTO files VALUES ${quoted.join(", ")}, (50, NULL, NULL, '2020-01-01'), (51, 'elsewhere/x', 9, '2020-01-01')`,
      );
      const objects = {
        table: "files",
        column: "s3_key",
        bucket: s3.bucket,
        prefix: `${name}/`,
        region: s3.region,
        environment: "prod",
        sizeColumn: "bytes",
        changedColumn: "written",
        graceMinutes: 60,
      };
      configure({ objects: [objects] });
      expect(await check("objects")).toMatchObject({
        code: 3,
        report: {
          looked: { rows: 6, objects: 6 },
          findings: [],
          skipped: [{ object: "belongings.files", why: `1 row: the object is not below ${name}/` }],
        },
      });
      // Each of two prefixes has its own rows.
      await sendSql(
        `UPDATE files SET s3_key = '${name}-other/never-listed', bytes = 3 WHERE id = 51`,
      );
      configure({ objects: [objects, { ...objects, prefix: `${name}-other/` }] });
      expect(await check("objects")).toMatchObject({
        code: 0,
        report: { looked: { rows: 7, objects: 7 }, skipped: [] },
      });
      await sendSql("DELETE FROM files WHERE id = 51");
      configure({ objects: [objects] });
      expect(await check("objects")).toMatchObject({
        code: 0,
        report: { looked: { rows: 6, objects: 6 } },
      });
      await checkInSilence("objects", s3.url, (url) => ({ AWS_ENDPOINT_URL_S3: url }));
      await client.send(new DeleteObjectCommand({ Bucket: s3.bucket, Key: `${name}/a.mp3` }));
      await sendSql(
        `UPDATE files SET bytes = 4 WHERE id = 2;
       INSERT INTO files VALUES (60, '${name}/on its way', 1, UTC_TIMESTAMP()), (61, '${name}/Same.txt', 3, '2020-01-01')`,
      );
      const first = await check("objects");
      expect(first.code).toBe(4);
      expect(seen(first.report)).toEqual([
        ["belongings.files", "id=1", "s3_key", "missing-object"],
        ["belongings.files", "id=61", "s3_key", "missing-object"],
      ]);
      // What was uploaded just now may still get its row: an hour is waited for that, or as it is configured.
      await put(`${name}/left over`);
      const second = (await check("objects")).report;
      expect(seen(second)).toHaveLength(2);
      // The row on its way, the object that is larger now, the one left over; and versitygw lists the last key under another name.
      expect(second.looked).toMatchObject({ rows: 8, objects: 6 });
      expect([3, 4]).toContain(second.looked["young"]);
      configure({ objects: [{ ...objects, graceMinutes: 0 }] });
      expect(seen((await check("objects")).report)).toEqual([
        ["belongings.files", "id=1", "s3_key", "missing-object"],
        ["belongings.files", "id=60", "s3_key", "missing-object"],
        ["belongings.files", "id=61", "s3_key", "missing-object"],
        [`s3://${s3.bucket}/${name}/`, `${name}/left over`, undefined, "extra-object"],
        ["belongings.files", "id=2", "bytes", "other-object"],
      ]);
      // Where much is young, next to nothing was judged.
      await sendSql(
        `INSERT INTO files SELECT 1000 + seq, CONCAT('${name}/young ', seq), 1, UTC_TIMESTAMP() FROM seq_1_to_60`,
      );
      configure({ objects: [{ ...objects, graceMinutes: 100_000 }] });
      expect((await check("objects")).report.skipped).toMatchObject([
        {
          object: "belongings.files",
          why: expect.stringMatching(
            /^6\d rows and objects lack their like or differ, and are too young to be judged: see graceMinutes$/,
          ),
        },
      ]);
      await sendSql("DELETE FROM files WHERE id > 1000");
      configure({
        objects: [
          { ...objects, prefix: `${name}/nothing/` },
          { ...objects, prefix: `${name}-other/` },
        ],
      });
      const wrong = await check("objects");
      expect(wrong.code).toBe(3);
      expect(wrong.report.skipped.map(({ why }) => why)).toEqual([
        `8 rows: the object is not below ${name}/nothing/, nor ${name}-other/`,
        `it has no row that names one, and s3://${s3.bucket}/${name}/nothing/ has none`,
        "none of its rows names one, and there is 1 object",
      ]);
      configure({ objects: [{ ...objects, bucket: "lcops-no-such-bucket" }] });
      expect(await check("objects")).toMatchObject({ code: 3, report: { state: "skipped" } });
    } finally {
      client.destroy();
    }
  },
  90_000,
);

withDynamo(
  "rows without their item, and items without their row, are found",
  async () => {
    const { aws } = ground.lab;
    if (!aws) throw new Error("no AWS");
    const place = { endpointUrl: aws.dynamodbUrl, region: "us-west-2" };
    await askDynamoDb(place, "CreateTable", {
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "school", KeyType: "HASH" },
        { AttributeName: "day", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "school", AttributeType: "S" },
        { AttributeName: "day", AttributeType: "S" },
      ],
    });
    const put = (school: string, day: string) =>
      askDynamoDb(place, "PutItem", {
        TableName: name,
        Item: { school: { S: school }, day: { S: day }, n: { N: "1" } },
      });
    const days = Array.from(
      { length: 30 },
      (_, index) => `2014-03-${String(index + 1).padStart(2, "0")}`,
    );
    for (const day of days) await put("school-1", day);
    await sendSql(
      `INSERT INTO patterns VALUES ${days.map((day) => `('school-1', '${day}')`).join(", ")}`,
    );
    configure({
      items: [
        {
          table: "patterns",
          columns: ["school", "day"],
          dynamoTable: name,
          region: "us-west-2",
          environment: "dev",
        },
      ],
    });
    expect(await check("items")).toMatchObject({
      code: 0,
      report: { looked: { rows: 30, items: 30 } },
    });
    await checkInSilence("items", aws.dynamodbUrl, (url) => ({ AWS_ENDPOINT_URL_DYNAMODB: url }));
    await sendSql("INSERT INTO patterns VALUES ('school-2', '2014-03-01')");
    await put("school-3", "2014-03-01");
    const { code, report } = await check("items");
    expect(code).toBe(4);
    expect(seen(report)).toEqual([
      ["belongings.patterns", "school=school-2, day=2014-03-01", "school, day", "missing-item"],
      [name, '["school-3","2014-03-01"]', undefined, "extra-item"],
    ]);
    configure({
      items: [
        {
          table: "patterns",
          columns: ["school"],
          dynamoTable: name,
          region: "us-west-2",
          environment: "dev",
        },
      ],
    });
    expect((await check("items")).report.skipped[0]?.why).toContain(
      `the key of ${name} is school and day`,
    );
  },
  60_000,
);

withDynamo("a number is the same item, however a row writes it", async () => {
  const { aws } = ground.lab;
  if (!aws) throw new Error("no AWS");
  const place = { endpointUrl: aws.dynamodbUrl, region: "us-west-2" };
  const dynamoTable = `${name}-prices`;
  await askDynamoDb(place, "CreateTable", {
    TableName: dynamoTable,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "N" }],
  });
  for (const id of ["1.5", "2", "-0.25", "0", "100", "7.1"])
    await askDynamoDb(place, "PutItem", { TableName: dynamoTable, Item: { id: { N: id } } });
  await sendSql(
    "CREATE TABLE prices (id DECIMAL(10,2) PRIMARY KEY); INSERT INTO prices VALUES (1.50), (2.00), (-0.25), (0), (100), (7.2)",
  );
  configure({
    items: [
      { table: "prices", columns: ["id"], dynamoTable, region: "us-west-2", environment: "dev" },
    ],
  });
  const { code, report } = await check("items");
  expect(code).toBe(4);
  expect(seen(report)).toEqual([
    ["belongings.prices", "id=7.20", "id", "missing-item"],
    [dynamoTable, '["7.1"]', undefined, "extra-item"],
  ]);
});

withSearch(
  "rows without their document, documents without their row, and those that are behind, are found",
  async ({ skip }) => {
    const { elasticsearch } = ground.lab.services;
    if (!elasticsearch?.node) return skip("elasticsearch is a stand-in here");
    const url = `http://${elasticsearch.address}:${elasticsearch.port}`;
    const ask = async (method: string, path: string, body?: string): Promise<void> => {
      const response = await fetch(url + path, {
        method,
        headers: {
          "Content-Type": path.startsWith("/_bulk") ? "application/x-ndjson" : "application/json",
        },
        ...(body !== undefined && { body }),
      });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    };
    await ask(
      "PUT",
      `/${name}`,
      JSON.stringify({ settings: { number_of_shards: 2, number_of_replicas: 0 } }),
    );
    const line = (id: number, at = "2014-03-10T12:00:00Z"): string =>
      `{"index":{"_index":"${name}","_id":"${id}"}}\n{"updated_at":"${at}","title":"x"}\n`;
    await ask(
      "POST",
      "/_bulk?refresh=true",
      Array.from({ length: 2_500 }, (_, index) => line(index + 1)).join(""),
    );
    await sendSql("INSERT INTO posts SELECT seq, '2014-03-10 12:00:00' FROM seq_1_to_2500");
    const search = {
      table: "posts",
      column: "id",
      service: "elasticsearch",
      index: name,
      versionColumn: "updated_at",
      versionField: "updated_at",
    };
    configure({ search: [search] });
    expect(await check("search")).toMatchObject({
      code: 0,
      report: { looked: { rows: 2_500, documents: 2_500 } },
    });
    configure({ search: [{ ...search, versionField: "update_at" }] });
    expect(await check("search")).toMatchObject({
      code: 3,
      report: {
        state: "checked",
        findings: [],
        skipped: [
          { object: name, why: "2500 documents have nothing to be compared with updated_at" },
        ],
      },
    });
    configure({ search: [search] });
    await ask("POST", "/_bulk?refresh=true", line(9_001) + line(77, "2014-03-09T12:00:00Z"));
    await ask("DELETE", `/${name}/_doc/500?refresh=true`);
    const { code, report } = await check("search");
    expect(code).toBe(4);
    expect(seen(report)).toEqual([
      ["belongings.posts", "id=500", "id", "missing-document"],
      [name, "9001", undefined, "extra-document"],
      ["belongings.posts", "id=77", "updated_at", "other-document"],
    ]);
    // With a routing of its own a document stands in another shard than its id says: some of these do.
    for (const routing of ["school-1", "school-2"])
      for (const id of ["9002", "9003", "9004"])
        await ask("PUT", `/${name}/_doc/${id}-${routing}?routing=${routing}&refresh=true`, "{}");
    for (const id of [101, 102, 103, 104]) {
      await ask("DELETE", `/${name}/_doc/${id}?refresh=true`);
      await ask(
        "PUT",
        `/${name}/_doc/${id}?routing=school-1&refresh=true`,
        '{"updated_at":"2014-03-09T12:00:00Z"}',
      );
    }
    const routed = (await check("search")).report;
    expect(
      seen(routed)
        .filter(([, key]) => /school|10[1-4]/.test(key ?? ""))
        .map(([, key, , kind]) => `${key} ${kind}`)
        .toSorted((one, other) => one.localeCompare(other)),
    ).toEqual([
      ...["9002", "9003", "9004"].flatMap((id) => [
        `${id}-school-1 extra-document`,
        `${id}-school-2 extra-document`,
      ]),
      ...[101, 102, 103, 104].map((id) => `id=${id} other-document`),
    ]);
    await checkInSilence("search", url, (relayed) => {
      const { hostname: address, port } = new URL(relayed);
      const silent = {
        kind: "elasticsearch" as const,
        environment: "dev",
        address,
        port: Number(port),
      };
      configure({ search: [{ ...search, service: "silent" }] }, { silent });
      return {};
    });
    configure({ search: [{ ...search, index: `${name}-not` }] });
    expect(await check("search")).toMatchObject({
      code: 3,
      report: { state: "skipped", skipped: [{ why: expect.stringMatching(/no such index/) }] },
    });
    await ask("DELETE", `/${name}`);
  },
  90_000,
);
