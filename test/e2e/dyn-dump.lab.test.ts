import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DumpManifest } from "../../src/services/dynamodb/dump-manifest.ts";
import {
  refusal,
  scriptTable,
  startScriptedDynamoDb,
  type Call,
  type Reply,
  type ScriptedDynamoDb,
} from "../lab/scripted-dynamodb.ts";
import { EMULATORS, startEmulator, testOn } from "../support/emulators.ts";
import { makeDynamoGround, type DynamoGround } from "../support/dynamo-ground.ts";
import { killDumps } from "../support/kill-dumps.ts";
import { LCOPS } from "../support/program.ts";
import { startLcops, startProgram } from "../support/run-lcops.ts";

const readLines = (text: string): string[] => text.split("\n").filter(Boolean).toSorted();

describe.each(EMULATORS)("a dump, on %s", (emulator) => {
  let ground: DynamoGround;
  let table: string;
  const at = (name: string): string => path.join(ground.folder, name);
  const rows = Array.from({ length: 60 }, (_, index) => ({
    id: { S: `row ${index}` },
    at: { N: `${index}` },
    n: { N: "123456789012345678901234567890.12345678" },
    b: { B: "AP+A" },
  }));
  beforeAll(async () => {
    ground = await makeDynamoGround(await startEmulator(emulator));
    table = await ground.makeTable("N");
    for (const row of rows) await ground.put(table, row);
  });
  afterAll(() => ground.remove());

  const dump = (output: string, ...more: string[]) =>
    ground.lcops("dyn", "dump-table", table, "-o", output === "-" ? "-" : at(output), ...more);
  const whole = rows.map((Item) => JSON.stringify({ Item })).toSorted();
  const asJson = (lines: string[]) =>
    lines.map((line) => {
      const { Item } = JSON.parse(line) as { Item: (typeof rows)[0] };
      return JSON.stringify({ Item: { id: Item.id, at: Item.at, n: Item.n, b: Item.b } });
    });

  testOn(emulator)("has each item once, one a line, and a manifest that proves it", async () => {
    expect(await dump("t.json")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const bytes = readFileSync(at("t.json"));
    expect(asJson(readLines(bytes.toString())).toSorted()).toEqual(whole);
    const manifest = JSON.parse(readFileSync(at("t.json.manifest.json"), "utf8")) as DumpManifest;
    expect(manifest).toMatchObject({
      complete: true,
      items: 60,
      account: "111111111111",
      fileBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      table: {
        name: table,
        key: [
          { name: "id", type: "S" },
          { name: "at", type: "N" },
        ],
      },
    });
    expect(readdirSync(ground.folder).filter((name) => /partial|lock|tmp/.test(name))).toEqual([]);
  });

  testOn(emulator).each([
    ["t.json.gz", (bytes: Buffer) => gunzipSync(bytes)],
    ["t.json.zst", (bytes: Buffer) => spawnSync("zstd", ["-dc"], { input: bytes }).stdout],
  ])("is packed as the name %s says", async (name, unpack) => {
    expect(await dump(name)).toMatchObject({ code: 0, stderr: "" });
    const lines = readLines(unpack(readFileSync(at(name))).toString());
    expect(asJson(lines).toSorted()).toEqual(whole);
  });

  testOn(emulator)("goes to stdout alone with -, and --format plain is for reading", async () => {
    const { code, stdout, stderr } = await dump("-", "--format", "plain");
    expect([code, stderr]).toEqual([0, ""]);
    const lines = readLines(stdout);
    expect(lines.length).toBe(60);
    expect(lines.every((line) => line.includes("123456789012345678901234567890.12345678"))).toBe(
      true,
    );
    expect(lines[0]).toContain('"b":{"$b64":"AP+A"}');
  });

  testOn(emulator)("of a table that is not there is refused", async () => {
    const { code, stderr } = await ground.lcops("dyn", "dump-table", "nowhere");
    expect([code, stderr]).toEqual([2, expect.stringContaining("there is no table nowhere")]);
  });

  testOn(emulator)("tables are listed with their keys", async () => {
    const { code, stdout } = await ground.lcops("dyn", "tables", "--env", "dev");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^${table}\t${"us-west-2"}\t\\d+\t.*\ton demand\tid \\(S\\), at \\(N\\)\t`, "m"),
    );
  });
});

describe("a dump, whatever the service does", () => {
  let service: ScriptedDynamoDb;
  let ground: DynamoGround;
  let answer: (call: Call) => Reply | Promise<Reply>;
  const at = (name: string): string => path.join(ground.folder, name);
  beforeAll(async () => {
    service = await startScriptedDynamoDb((call) => answer(call));
    ground = await makeDynamoGround({ url: service.url });
  });
  afterAll(async () => {
    await service.close();
    await ground.remove();
  });
  const NAME = "numbers";
  const plain = scriptTable({ name: NAME, items: 400, itemsByPage: 10 });
  const dump = (...more: string[]) =>
    ground.lcops("dyn", "dump-table", NAME, "-o", at("numbers.json"), ...more);
  const ids = (file = "numbers.json"): string[] =>
    readLines(readFileSync(at(file), "utf8")).map(
      (line) => (JSON.parse(line) as { Item: { id: { S: string } } }).Item.id.S,
    );
  const all = Array.from({ length: 400 }, (_, index) => `row-${String(index).padStart(7, "0")}`);

  const once = (fault: Reply, every = 7) => {
    const hit = new Set<string>();
    return (call: Call): Reply => {
      if (call.operation !== "Scan" || call.index % every !== 3 || hit.has(call.body))
        return plain(call);
      hit.add(call.body);
      return fault;
    };
  };
  test("tells a script what it does, an event a line", async () => {
    answer = plain;
    const { code, stdout } = await dump("--json");
    const events = readLines(stdout).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([code, events.map(({ event }) => event)]).toEqual([0, ["begin", "end"]]);
    expect(events[0]).toMatchObject({ table: NAME, file: at("numbers.json") });
    expect(events[1]).toMatchObject({ complete: true, items: 400, file: at("numbers.json") });
  });

  test.each<[string, () => (call: Call) => Reply]>([
    ["throttled pages", () => once(refusal("ProvisionedThroughputExceededException"), 5)],
    [
      "one segment that is throttled again and again",
      () => (call) =>
        call.request["Segment"] === 2 && call.index % 3 > 0
          ? refusal("ThrottlingException")
          : plain(call),
    ],
    ["faults of the service", () => once({ status: 500, body: { __type: "InternalServerError" } })],
    ["connections that are reset", () => once({ body: "", cutAfterBytes: 0 })],
    ["bodies that are cut", () => once({ body: "x".repeat(5000), cutAfterBytes: 2000 })],
    ["bodies that are no pages", () => once({ body: '{"Items":[{"id":{"S":"1"' })],
    [
      "a wrong checksum",
      () =>
        once({
          ...plain({ operation: "Scan", request: {} } as Call),
          headers: { "x-amz-crc32": "1" },
        }),
    ],
    [
      "a missing ConsumedCapacity",
      () => (call) => {
        const { ConsumedCapacity: _left, ...body } = plain(call).body as Record<string, unknown>;
        return { body };
      },
    ],
    [
      "pages without items",
      () => (call) => {
        const from = call.request["ExclusiveStartKey"] as { id: { S: string } } | undefined;
        const isFirst = call.operation === "Scan" && from === undefined;
        return isFirst
          ? { body: { Items: [], LastEvaluatedKey: { id: { S: "row--000001" } } } }
          : plain(call);
      },
    ],
    [
      "members in another order, blanks and escapes",
      () => (call) => {
        if (call.operation !== "Scan") return plain(call);
        const { Items, ...rest } = plain(call).body as { Items: object[] };
        const body = JSON.stringify({ ...rest, Extra: ['"}],', "\\"], Items }, null, 2);
        return { body: body.replace('"Items"', '"\\u0049tems"') };
      },
    ],
  ])("is complete after %s", async (_what, make) => {
    answer = make();
    expect(await dump()).toMatchObject({ code: 0, stderr: "" });
    expect(ids()).toEqual(all);
  });

  test("stays where it is while a later one fails, which is resumed where it was", async () => {
    answer = plain;
    await dump();
    const before = readFileSync(at("numbers.json"), "utf8");
    let pages = 0;
    answer = async (call) => {
      if (call.operation !== "Scan") return plain(call);
      pages++;
      if (pages > 25) return refusal("AccessDeniedException");
      return { ...plain(call), delayMs: 60 };
    };
    const failed = await dump();
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("permission denied") });
    expect(readFileSync(at("numbers.json"), "utf8")).toBe(before);
    expect(existsSync(at("numbers.json.partial"))).toBe(true);

    const asked = service.count("Scan");
    answer = plain;
    expect(await dump("--resume")).toMatchObject({ code: 0, stderr: "" });
    expect(ids()).toEqual(all);
    expect(service.count("Scan") - asked).toBeLessThan(35);
    const manifest = JSON.parse(
      readFileSync(at("numbers.json.manifest.json"), "utf8"),
    ) as DumpManifest;
    expect(manifest).toMatchObject({ resumed: 1, items: 400 });
  });

  test("that was killed between its names gets its manifest, whatever becomes of the next one", async () => {
    answer = plain;
    await dump();
    const [state, manifest] = [".partial.json", ".manifest.json"].map((end) =>
      at(`numbers.json${end}`),
    ) as [string, string];
    const whole = readFileSync(manifest, "utf8");
    const finished = JSON.parse(whole) as DumpManifest;
    writeFileSync(state, JSON.stringify({ plan: { path: at("numbers.json") }, finished }));
    writeFileSync(manifest, JSON.stringify({ ...finished, sha256: "of the one before" }));
    answer = (call) => (call.operation === "Scan" ? refusal("AccessDeniedException") : plain(call));
    expect(await dump()).toMatchObject({ code: 1 });
    expect(readFileSync(manifest, "utf8")).toBe(whole);
    expect(ids()).toEqual(all);
  });

  test("is resumed where its folder is now", async () => {
    mkdirSync(at("before"));
    let pages = 0;
    answer = (call) => {
      if (call.operation !== "Scan") return plain(call);
      return ++pages > 25 ? refusal("AccessDeniedException") : { ...plain(call), delayMs: 60 };
    };
    const into = (folder: string, ...more: string[]) =>
      ground.lcops("dyn", "dump-table", NAME, "-o", at(`${folder}/t.json`), ...more);
    expect(await into("before")).toMatchObject({ code: 1 });
    renameSync(at("before"), at("after"));
    answer = plain;
    expect(await into("after", "--resume")).toMatchObject({ code: 0, stderr: "" });
    expect(ids("after/t.json")).toEqual(all);
    expect(JSON.parse(readFileSync(at("after/t.json.manifest.json"), "utf8"))).toMatchObject({
      resumed: 1,
    });
    expect(existsSync(at("before"))).toBe(false);
  });

  test.each(["killed.json", "killed.json.gz"])(
    "killed at random pages and resumed, %s is as one that was not disturbed",
    async (name) => {
      const { resumed } = await killDumps(name, 4);
      expect(resumed).toBeGreaterThan(0);
    },
    60_000,
  );

  test.each(["empty.json", "empty.json.gz"])("of an empty table is %s, and whole", async (name) => {
    answer = scriptTable({ name: NAME, items: 0, itemsByPage: 10 });
    const file = at(name);
    expect(await ground.lcops("dyn", "dump-table", NAME, "-o", file)).toMatchObject({ code: 0 });
    const bytes = readFileSync(file);
    expect((name.endsWith(".gz") ? gunzipSync(bytes) : bytes).length).toBe(0);
    expect(JSON.parse(readFileSync(`${file}.manifest.json`, "utf8"))).toMatchObject({ items: 0 });
  });

  test("the capacity of a large table is that of a sample, and said to be", async () => {
    answer = scriptTable({ name: NAME, items: 4000, itemsByPage: 10 });
    const { code, stdout, stderr } = await ground.lcops("dyn", "capacity", NAME);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^numbers: 480 items measured, a sample\n/);
  });

  test("tables of a place that cannot be seen are named, and the others listed, with 3", async () => {
    const first = service.count("ListTables");
    answer = (call) => {
      if (call.operation !== "ListTables") return plain(call);
      return call.index === first
        ? refusal("AccessDeniedException")
        : { body: { TableNames: [NAME] } };
    };
    const { code, stdout, stderr } = await ground.lcops("dyn", "tables");
    expect(code).toBe(3);
    expect(stdout).toMatch(/^numbers\tus-west-2\t400\t.*\ton demand\tid \(S\)\t/);
    expect(stderr).toMatch(/^lcops: dynamodb:ListTables in us-west-2.*its tables are missing.*\n$/);
  });

  test("tables that cannot be seen alone are named, and one that is deleted meanwhile is none", async () => {
    answer = (call) => {
      if (call.operation === "ListTables")
        return { body: { TableNames: ["secret", "gone", NAME, "hidden"] } };
      const name = String(call.request["TableName"]);
      if (name === NAME) return plain(call);
      return refusal(name === "gone" ? "ResourceNotFoundException" : "AccessDeniedException");
    };
    const { code, stdout, stderr } = await ground.lcops("dyn", "tables", "--env", "dev");
    expect(code).toBe(3);
    expect(stdout).toMatch(/^numbers\tus-west-2\t400\t[^\n]*\n$/);
    expect(stderr).toMatch(/DescribeTable.*(secret|hidden) and 1 more are missing.*\n$/);
  });

  test("the capacity of a table is not that of a folder of its name", async () => {
    answer = scriptTable({ name: "test", items: 40, itemsByPage: 10 });
    expect(existsSync("test")).toBe(true);
    const { code, stdout, stderr } = await ground.lcops("dyn", "capacity", "test");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^test: 40 items measured, all of them\n/);
  });

  test("ends quietly when whoever reads it has seen enough", async () => {
    answer = plain;
    const words = [process.execPath, LCOPS, "dyn", "dump-table", NAME, "-o", "-"];
    const piped = startProgram(
      "bash",
      ["-o", "pipefail", "-c", '"$@" | head -n 1', "bash", ...words],
      {
        environment: ground.environment,
      },
    );
    const { code, stdout, stderr } = await piped.ended;
    expect([code, stdout.split("\n").length, stderr]).toEqual([0, 2, ""]);
  });

  test("into a folder that is not there is refused with what to do", async () => {
    answer = plain;
    const result = await ground.lcops("dyn", "dump-table", NAME, "-o", at("nowhere/t.json"));
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("name a folder") });
  });

  test.each([["dump-table"], ["dump-row"]])(
    "%s never takes the place of a folder or a pipe",
    async (verb) => {
      answer = plain;
      mkdirSync(at("folder"), { recursive: true });
      writeFileSync(at("folder/kept"), "kept");
      spawnSync("mkfifo", [at("pipe")]);
      for (const name of ["folder", "pipe"]) {
        const words = ["dyn", verb, NAME, ...(verb === "dump-row" ? ["1"] : []), "-o", at(name)];
        expect(await ground.lcops(...words)).toMatchObject({
          code: 2,
          stderr: expect.stringContaining(`${name} is no file`),
        });
      }
      expect(readFileSync(at("folder/kept"), "utf8")).toBe("kept");
      expect(statSync(at("pipe")).isFIFO()).toBe(true);
      expect(readdirSync(ground.folder).filter((name) => /^(folder|pipe)./.test(name))).toEqual([]);
    },
  );

  test("of another table is not resumed into it, and a broken state is said to be one", async () => {
    let pages = 0;
    answer = (call) =>
      call.operation === "Scan" && pages++ > 5 ? refusal("AccessDeniedException") : plain(call);
    await dump();
    const other = scriptTable({ name: "other", items: 5, itemsByPage: 5 });
    answer = other;
    const mixed = await ground.lcops(
      "dyn",
      "dump-table",
      "other",
      "-o",
      at("numbers.json"),
      "--resume",
    );
    expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining("of another table") });
    writeFileSync(at("numbers.json.partial.json"), "{");
    answer = plain;
    expect(await dump("--resume")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("leave --resume away"),
    });
    expect(await dump()).toMatchObject({ code: 0 });
  });

  test("holds a lock: a second one into the same file ends with 6", async () => {
    answer = (call) => ({ ...plain(call), ...(call.operation === "Scan" && { delayMs: 100 }) });
    const first = startLcops(["dyn", "dump-table", NAME, "-o", at("numbers.json")], {
      environment: ground.environment,
    });
    const asked = service.count("Scan");
    await expect.poll(() => service.count("Scan"), { timeout: 10_000 }).toBeGreaterThan(asked + 4);
    expect(await dump()).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("another run dumps into"),
    });
    expect(await first.ended).toMatchObject({ code: 0 });
  });

  test("spends no more than --max-rcu, with pages that are small enough for it", async () => {
    const scans: number[] = [];
    answer = (call) => {
      if (call.operation === "Scan") scans.push(performance.now());
      return plain(call);
    };
    expect(await dump("--max-rcu", "100")).toMatchObject({ code: 0 });
    // 40 pages of 10 items, at half a unit each. The units of a second are there at once; four pages are under way at a time, and
    // what they cost is known afterwards.
    expect(scans).toHaveLength(40);
    const overspent = scans.map((at, page) => page * 5 - 100 - (at - (scans[0] ?? 0)) / 10);
    expect(Math.max(...overspent)).toBeLessThan(30);
    expect(service.calls.at(-1)?.request).toHaveProperty("Limit");
    expect(ids()).toEqual(all);
  });

  test.each([["0"], ["x"], ["101%"], ["50%"]])(
    "refuses --max-rcu %s for a table on demand",
    async (units) => {
      answer = plain;
      expect(await dump("--max-rcu", units)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--max-rcu"),
      });
    },
  );

  test("stopped by Ctrl-C it ends with 130, and can be resumed", async () => {
    answer = (call) => ({ ...plain(call), ...(call.operation === "Scan" && { delayMs: 80 }) });
    const asked = service.count("Scan");
    const running = startLcops(["dyn", "dump-table", NAME, "-o", at("stopped.json")], {
      environment: ground.environment,
    });
    await expect.poll(() => service.count("Scan"), { timeout: 10_000 }).toBeGreaterThan(asked + 9);
    running.send("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(existsSync(at("stopped.json"))).toBe(false);
    answer = plain;
    await ground.lcops("dyn", "dump-table", NAME, "-o", at("stopped.json"), "--resume");
    expect(ids("stopped.json")).toEqual(all);
  });
});
