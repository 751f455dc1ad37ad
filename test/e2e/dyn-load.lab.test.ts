import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askDynamoDb } from "../lab/ask-dynamodb.ts";
import {
  refusal,
  startScriptedDynamoDb,
  type Call,
  type Reply,
  type ScriptedDynamoDb,
} from "../lab/scripted-dynamodb.ts";
import { startDynalite } from "../lab/dynalite.ts";
import { EMULATORS, startEmulator, testOn } from "../support/emulators.ts";
import { makeDynamoGround, type DynamoGround } from "../support/dynamo-ground.ts";

const row = (index: number, more: object = {}) => ({
  id: { S: `row ${index}` },
  n: { N: "12345678901234567890123456789012345678" },
  b: { BS: ["AA==", "/w=="] },
  ...more,
});
const line = (item: object): string => `${JSON.stringify({ Item: item })}\n`;

describe.each(EMULATORS)("a load, on %s", (emulator) => {
  let ground: DynamoGround;
  let table: string;
  beforeAll(async () => {
    ground = await makeDynamoGround(await startEmulator(emulator));
  });
  afterAll(() => ground.remove());
  const at = (name: string): string => path.join(ground.folder, name);
  const fresh = async () => (table = await ground.makeTable());
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(at(name), content);
    return at(name);
  };
  const load = (file: string, ...more: string[]) =>
    ground.lcops("dyn", "load-table", file, table, "--yes", ...more);
  const count = async () =>
    (await ground.ask<{ Count: number }>("Scan", { TableName: table, Select: "COUNT" })).Count;

  testOn(emulator).each([["dynamodb"], ["plain"]])(
    "of our own dump in the form %s is the same table again",
    async (form) => {
      await fresh();
      for (let index = 0; index < 60; index++)
        await ground.put(
          table,
          row(index, { t: { S: "line\u2028break\r" }, m: { M: { $set: { L: [] } } } }),
        );
      const dumped = at(`t-${form}.json.gz`);
      expect(
        await ground.lcops("dyn", "dump-table", table, "-o", dumped, "--format", form),
      ).toMatchObject({ code: 0 });
      const first = await ground.get(table, { id: { S: "row 7" } });
      await fresh();
      expect(await load(dumped)).toMatchObject({ code: 0, stdout: "", stderr: "" });
      expect(await count()).toBe(60);
      expect(await ground.get(table, { id: { S: "row 7" } })).toEqual(first);
      expect(ground.journal().at(-1)).toMatchObject({
        state: "done",
        detail: "60 items written, 0 not",
      });
    },
  );

  testOn(emulator)(
    "of an export of AWS takes every part, and refuses one that is missing or changed",
    async () => {
      await fresh();
      const folder = at("export");
      mkdirSync(path.join(folder, "data"), { recursive: true });
      const parts = [0, 1].map((part) => {
        const packed = gzipSync([0, 1, 2].map((index) => line(row(part * 3 + index))).join(""));
        writeFileSync(path.join(folder, `data/part${part}.json.gz`), packed);
        return JSON.stringify({
          itemCount: 3,
          md5Checksum: createHash("md5").update(packed).digest("base64"),
          dataFileS3Key: `AWSDynamoDB/0169/data/part${part}.json.gz`,
        });
      });
      writeFileSync(path.join(folder, "manifest-files.json"), `${parts.join("\n")}\n`);
      expect(await load(folder)).toMatchObject({ code: 0, stderr: "" });
      expect(await count()).toBe(6);

      await fresh();
      const part = path.join(folder, "data/part1.json.gz");
      writeFileSync(part, gzipSync(line(row(9))));
      expect(await load(folder)).toMatchObject({ code: 2, stderr: expect.stringContaining("md5") });
      rmSync(part);
      expect(await load(folder)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("part1.json.gz is missing"),
      });
      expect(await count()).toBe(0);
    },
  );

  testOn(emulator)(
    "of the same key twice leaves the later one, within a batch and across",
    async () => {
      await fresh();
      const items = Array.from({ length: 120 }, (_, index) =>
        row(index % 40, { at: { N: `${index}` } }),
      );
      items.push(row(39, { at: { N: "4" } }));
      expect(await load(write("twice.json", items.map(line).join("")))).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(await count()).toBe(40);
      expect((await ground.get(table, { id: { S: "row 5" } }))?.["at"]).toEqual({ N: "85" });
      expect((await ground.get(table, { id: { S: "row 39" } }))?.["at"]).toEqual({ N: "4" });
    },
  );

  testOn(emulator)("with CR LF and a byte order mark is no other load", async () => {
    await fresh();
    const text = `\ufeff${line(row(1))}${line(row(2))}`.replaceAll("\n", "\r\n");
    expect(await load(write("crlf.json", text))).toMatchObject({ code: 0, stderr: "" });
    expect(await count()).toBe(2);
  });

  const good = Array.from({ length: 60 }, (_, index) => line(row(index))).join("");
  testOn(emulator).each<[string, string | Buffer, RegExp]>([
    [
      "a key of another type on its last line",
      good + line({ id: { N: "1" } }),
      /:61: id: the key must be of the type S/,
    ],
    ["a last line that is cut", good + line(row(99)).slice(0, 20), /:61: /],
    [
      "an attribute twice",
      '{"Item":{"id":{"S":"1"},"id":{"S":"2"}}}\n',
      /:1: the name "id" is there twice/,
    ],
    ["a plain JSON", '{"id":"1"}\n', /a line is \{"Item".*a plain dump needs its manifest/],
    ["39 digits", good + line(row(1, { n: { N: "1".repeat(39) } })), /:61: n: .*39 digits/],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x00]), /cannot be read/],
  ])("with %s writes nothing at all", async (_what, content, said) => {
    await fresh();
    const { code, stderr } = await load(write("bad.json", content));
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
    expect(await count()).toBe(0);
  });

  testOn(emulator)(
    "of a gzip that is cut, or of a dump that was changed, writes nothing",
    async () => {
      await fresh();
      expect(await load(write("cut.json.gz", gzipSync(good).subarray(0, 200)))).toMatchObject({
        code: 2,
      });
      await ground.put(table, row(1));
      const dumped = at("changed.json");
      await ground.lcops("dyn", "dump-table", table, "-o", dumped);
      writeFileSync(dumped, readFileSync(dumped, "utf8").replace("row 1", "row 2"));
      await fresh();
      expect(await load(dumped)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("sha256"),
      });
      expect(await count()).toBe(0);
    },
  );

  testOn(emulator)(
    "needs the table's name in production, and a dry run writes nothing",
    async () => {
      await fresh();
      const file = write("one.json", line(row(1)));
      const production = (...flags: string[]) =>
        ground.lcops("dyn", "load-table", file, table, "--env", "prod", ...flags);
      expect(await production("--yes")).toMatchObject({ code: 5 });
      const plan = await production("--dry-run");
      expect([plan.code, plan.stdout]).toEqual([
        0,
        expect.stringContaining("nothing can undo this"),
      ]);
      expect(await count()).toBe(0);
      expect(await production("--confirm", table)).toMatchObject({ code: 0 });
      expect(await count()).toBe(1);
    },
  );

  testOn(emulator)(
    "capacity is measured by the published rules, of a table and of its dump",
    async () => {
      await fresh();
      // id 2 + 5, v 1 + 1000 = 1008 bytes; the other has 1 + 5000.
      for (let index = 0; index < 9; index++)
        await ground.put(table, { id: { S: `row ${index}` }, v: { S: "x".repeat(1000) } });
      await ground.put(table, { id: { S: "large" }, v: { S: "x".repeat(5000) } });
      const measured = await ground.lcops(
        "dyn",
        "capacity",
        table,
        "--json",
        "--reads",
        "100/s",
        "--writes",
        "10",
      );
      const { report, forecast } = JSON.parse(measured.stdout) as Record<string, unknown>;
      expect(report).toMatchObject({
        items: 10,
        bytes: { p50: 1008, p95: 5008, max: 5008, mean: 1408 },
        // Nine of one unit of 4 KB and one of two; nine of one unit of 1 KB and one of five.
        units: { strongRead: 1.1, eventualRead: 0.55, write: 1.4 },
      });
      expect(forecast).toMatchObject({ readUnits: 55, strongReadUnits: 110, writeUnits: 14 });
      const dumped = at("capacity.json.gz");
      await ground.lcops("dyn", "dump-table", table, "-o", dumped);
      const ofDump = await ground.lcops("dyn", "capacity", dumped, "--json");
      expect((JSON.parse(ofDump.stdout) as { report: object }).report).toEqual(report);
      const { stdout, code } = await ground.lcops("dyn", "capacity", dumped);
      expect(code).toBe(0);
      expect(stdout).toMatch(/≤ +1\.0 KB .*▇ 9\n/);
    },
  );
});

describe("a load, whatever the service does", () => {
  let service: ScriptedDynamoDb;
  let ground: DynamoGround;
  let table: string;
  let behind: string;
  let stop: () => Promise<void>;
  let answer: (call: Call) => Reply | Promise<Reply>;
  beforeAll(async () => {
    const dynalite = await startDynalite();
    stop = dynalite.close;
    behind = dynalite.url;
    service = await startScriptedDynamoDb((call) => answer(call), dynalite.url);
    ground = await makeDynamoGround({ url: service.url });
  });
  afterAll(async () => {
    await ground.remove();
    await service.close();
    await stop();
  });
  const at = (name: string): string => path.join(ground.folder, name);
  const isLoad = ({ operation }: Call) => operation === "BatchWriteItem";
  const prepare = async (items: number) => {
    answer = (call) => call.forward();
    table = await ground.makeTable();
    writeFileSync(
      at("t.json"),
      Array.from({ length: items }, (_, index) => line(row(index))).join(""),
    );
  };
  const load = (...more: string[]) =>
    ground.lcops("dyn", "load-table", at("t.json"), table, "--yes", ...more);
  const count = async () =>
    (await ground.ask<{ Count: number }>("Scan", { TableName: table, Select: "COUNT" })).Count;
  /** Takes the first `taken` of each batch and leaves the rest. */
  const leave = async (call: Call, taken: number): Promise<Reply> => {
    const requests = (call.request["RequestItems"] as Record<string, object[]>)[table] ?? [];
    const left = requests.slice(taken);
    if (taken > 0)
      await askDynamoDb({ endpointUrl: behind, region: "us-west-2" }, "BatchWriteItem", {
        RequestItems: { [table]: requests.slice(0, taken) },
      });
    return { body: { UnprocessedItems: left.length > 0 ? { [table]: left } : {} } };
  };

  test("sends again what was left over, until all of it is taken, and tells a script so", async () => {
    await prepare(100);
    answer = (call) => (!isLoad(call) ? call.forward() : leave(call, 10));
    const { code, stdout, stderr } = await load("--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as unknown),
    ).toEqual([
      { event: "begin", table, file: at("t.json"), items: 100 },
      { event: "end", table, written: 100, left: 0 },
    ]);
    expect(await count()).toBe(100);
  });

  test("asks for less at once where the table is throttled, and for more when it is well again", async () => {
    await prepare(1500);
    let [asked, now] = [0, 0];
    const most = { first: 0, throttled: 0, later: 0 };
    let fill: () => void;
    const full = new Promise<void>((resolve) => (fill = resolve));
    answer = async (call) => {
      if (!isLoad(call)) return call.forward();
      asked++;
      const when = asked <= 4 ? "first" : asked <= 6 ? "throttled" : "later";
      most[when] = Math.max(most[when], ++now);
      if (most.first === 4) fill();
      await full;
      const reply = when === "later" ? await call.forward() : refusal("ThrottlingException");
      now--;
      return reply;
    };
    expect(await load()).toMatchObject({ code: 0, stderr: "" });
    expect(await count()).toBe(1500);
    expect(most).toEqual({ first: 4, throttled: 1, later: 4 });
  }, 60_000);

  test.each<[string, Reply]>([
    ["throttles", refusal("ProvisionedThroughputExceededException")],
    ["faults", { status: 500, body: { __type: "InternalServerError" } }],
    ["resets", { body: "", cutAfterBytes: 0 }],
  ])("goes on after whole batches that met %s", async (_what, fault) => {
    await prepare(100);
    answer = (call) => (isLoad(call) && call.index % 3 === 0 ? fault : call.forward());
    expect(await load()).toMatchObject({ code: 0, stderr: "" });
    expect(await count()).toBe(100);
  });

  test("puts what is never taken into a file that can be loaded, and ends with 3", async () => {
    await prepare(60);
    const isBad = (call: Call) => isLoad(call) && call.body.includes('"row 7"');
    answer = (call) => (isBad(call) ? leave(call, 0) : call.forward());
    const { code, stderr } = await load();
    expect([code, stderr]).toEqual([3, expect.stringContaining("has not taken 25 of 60 items")]);
    expect(await count()).toBe(35);
    const left = readFileSync(at("t.json.dead-letter.json"), "utf8");
    expect(left.trimEnd().split("\n").length).toBe(25);
    expect(ground.journal().at(-1)).toMatchObject({
      state: "failed",
      detail: "35 items written, 25 not",
    });
    answer = (call) => call.forward();
    expect(
      await ground.lcops("dyn", "load-table", at("t.json.dead-letter.json"), table, "--yes"),
    ).toMatchObject({ code: 0, stderr: "" });
    expect(await count()).toBe(60);
    expect(existsSync(at("t.json.dead-letter.json.dead-letter.json"))).toBe(false);
  }, 60_000);

  test("that is refused in its middle tells how far it came, and ends with 3", async () => {
    await prepare(200);
    answer = (call) =>
      isLoad(call) && call.index - started > 4 ? refusal("AccessDeniedException") : call.forward();
    const started = service.count("BatchWriteItem");
    const { code, stderr } = await load();
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/permission denied.*of 200 items are written/),
    ]);
  });
});
