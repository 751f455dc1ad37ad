import { existsSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { EMULATORS, startEmulator, testOn } from "../support/emulators.ts";
import { makeDynamoGround, type DynamoGround } from "../support/dynamo-ground.ts";

const ROW = {
  id: { S: "a" },
  hits: { N: "5" },
  mean: { N: "0.12345678901234567890123456789012345678" },
  name: { S: "Übung \u2028 🎻" },
  stats: { M: { seen: { N: "1" }, solved: { N: "2" } } },
  tags: { SS: ["x", "y"] },
};

describe.each(EMULATORS)("rows, on %s", (emulator) => {
  let ground: DynamoGround;
  let table: string;
  beforeAll(async () => {
    ground = await makeDynamoGround(await startEmulator(emulator));
    table = await ground.makeTable();
  });
  afterAll(() => ground.remove());

  const at = (name: string): string => path.join(ground.folder, name);
  const key = { id: { S: "a" } };
  const now = () => ground.get(table, key);
  const edit = (file: string, change: (item: Record<string, unknown>) => void): void => {
    const row = JSON.parse(readFileSync(at(file), "utf8")) as { Item: Record<string, unknown> };
    change(row.Item);
    writeFileSync(at(file), JSON.stringify(row));
  };
  const dump = async (file = "row.json"): Promise<void> => {
    rmSync(at(file), { force: true });
    const { code, stderr } = await ground.lcops("dyn", "dump-row", table, "a", "-o", at(file));
    expect([code, stderr]).toEqual([0, ""]);
  };
  const upload = (...flags: string[]) =>
    ground.lcops("dyn", "upload-row", at("row.json"), ...flags);

  testOn(emulator)(
    "a row is dumped with every digit, and uploaded unchanged it writes nothing",
    async () => {
      await ground.put(table, ROW);
      await dump();
      expect((JSON.parse(readFileSync(at("row.json"), "utf8")) as { Item: object }).Item).toEqual(
        ROW,
      );
      expect(await upload()).toMatchObject({ code: 0, stderr: "" });
      expect(ground.stateFiles(".").filter((file) => file.endsWith("ndjson"))).toEqual([]);
    },
  );

  testOn(emulator)(
    "an edit writes what was edited, merges with what others write beside it, and is undone",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => {
        item["hits"] = { N: "6" };
        delete item["name"];
        (item["stats"] as typeof ROW.stats).M.seen = { N: "7" };
        item["new"] = { L: [{ BOOL: true }, { NULL: true }] };
      });
      // Another writer meanwhile: an attribute nobody has seen, and a counter beside an edited one.
      const others = { unseen: { S: "kept" } };
      await ground.put(table, {
        ...ROW,
        ...others,
        stats: { M: { seen: { N: "1" }, solved: { N: "99" } } },
      });
      expect(await upload("--yes")).toMatchObject({ code: 0, stdout: "", stderr: "" });
      const { name: _name, ...rest } = ROW;
      expect(await now()).toEqual({
        ...rest,
        ...others,
        hits: { N: "6" },
        stats: { M: { seen: { N: "7" }, solved: { N: "99" } } },
        new: { L: [{ BOOL: true }, { NULL: true }] },
      });
    },
  );

  testOn(emulator, "maps and lists are compared")(
    "maps and lists that were written, changed and taken away are undone, and so is the undo",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => {
        item["new"] = { L: [{ BOOL: true }, { M: {} }] };
        delete item["stats"];
        item["tags"] = { M: { x: { NULL: true } } };
      });
      expect(await upload("--yes")).toMatchObject({ code: 0, stderr: "" });
      const edited = await now();
      expect(edited).toMatchObject({ new: { L: [{ BOOL: true }, { M: {} }] } });
      expect(await ground.lcops("dyn", "undo", "--yes")).toMatchObject({ code: 0, stderr: "" });
      expect(await now()).toEqual(ROW);
      expect(await ground.lcops("dyn", "undo", "--yes")).toMatchObject({ code: 0, stderr: "" });
      expect(await now()).toEqual(edited);
    },
  );

  testOn(emulator)(
    "an edit of what another writer changed is refused with what it was, is, and was to be",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => (item["hits"] = { N: "6" }));
      await ground.put(table, { ...ROW, hits: { S: "seven" } });
      const { code, stderr } = await upload("--yes");
      expect(code).toBe(5);
      expect(stderr).toMatch(/hits\n {4}was {3}N 5\n {4}is {4}S "seven"\n {4}yours N 6\n/);
      expect(await now()).toMatchObject({ hits: { S: "seven" } });
    },
  );

  testOn(emulator)("a file that cannot be written leaves the one that was there", async () => {
    await ground.put(table, ROW);
    // Long enough for a file, and too long for a temporary one beside it.
    const file = at(`${"r".repeat(245)}.json`);
    writeFileSync(file, "an edit");
    const { code, stderr } = await ground.lcops("dyn", "dump-row", table, "a", "-o", file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^lcops: cannot write .*r\.json/)]);
    expect(readFileSync(file, "utf8")).toBe("an edit");
  });

  testOn(emulator)("an edit that was not uploaded outlives further dumps", async () => {
    await ground.put(table, ROW);
    const again = () => ground.lcops("dyn", "dump-row", table, "a", "-o", at("kept.json"));
    const read = (name: string) =>
      (JSON.parse(readFileSync(at(name), "utf8")) as { Item: typeof ROW }).Item.hits.N;
    await dump("kept.json");
    edit("kept.json", (item) => (item["hits"] = { N: "6" }));
    for (let times = 0; times < 3; times++) expect(await again()).toMatchObject({ code: 0 });
    expect(["kept.json", "kept.json~", "kept.json~2"].map(read)).toEqual(["5", "6", "5"]);
    edit("kept.json", (item) => (item["hits"] = { N: "7" }));
    expect(await again()).toMatchObject({ code: 0 });
    expect(["kept.json", "kept.json~", "kept.json~2"].map(read)).toEqual(["5", "6", "7"]);
    expect(existsSync(at("kept.json~3"))).toBe(false);
  });

  testOn(emulator)("a key that begins with a dash is taken as it is behind --", async () => {
    await ground.put(table, { ...ROW, id: { S: "-o" } });
    const words = ["dyn", "dump-row", "-o", "-", "--", table, "-o"];
    const { code, stdout, stderr } = await ground.lcops(...words);
    expect([code, stderr]).toEqual([0, ""]);
    expect((JSON.parse(stdout) as { Item: object }).Item).toEqual({ ...ROW, id: { S: "-o" } });
  });

  testOn(emulator)("a row that is gone is not made again by an edit", async () => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", (item) => (item["hits"] = { N: "6" }));
    await ground.ask("DeleteItem", { TableName: table, Key: key });
    expect(await upload("--yes")).toMatchObject({ code: 5 });
    expect(await now()).toBeUndefined();
  });

  testOn(emulator).each<[string, (item: Record<string, unknown>) => void]>([
    ["a number written otherwise", (item) => (item["hits"] = { N: "5.0" })],
    ["a set in another order", (item) => (item["tags"] = { SS: ["y", "x"] })],
    ["nothing", () => undefined],
  ])("%s is no change", async (_what, change) => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", change);
    const { code, stdout } = await upload("--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { written: false }]);
  });

  testOn(emulator).each<[string, (item: Record<string, unknown>) => void, RegExp]>([
    ["another key", (item) => (item["id"] = { S: "b" }), /--create/],
    ["an empty set", (item) => (item["tags"] = { SS: [] }), /tags: a set must have a member/],
    ["39 digits", (item) => (item["hits"] = { N: "1".repeat(39) }), /hits: .*39 digits/],
    ["no type", (item) => (item["hits"] = 5), /hits: one type is expected/],
    ["too much", (item) => (item["name"] = { S: "x".repeat(409_600) }), /KB, the limit is 400/],
  ])("%s is refused before anything is asked to be written", async (_what, change, said) => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", change);
    const { code, stderr } = await upload("--yes");
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
    expect(await now()).toEqual(ROW);
  });

  testOn(emulator)("a dry run prints the plan and touches nothing", async () => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", (item) => (item["hits"] = { S: "six" }));
    const { code, stdout } = await upload("--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^write a row of .*: a\n {2}account 111111111111, us-west-2\n/);
    expect(stdout).toContain('  hits: N 5 → S "six" (another type)\n');
    expect(await now()).toEqual(ROW);
  });

  testOn(emulator)(
    "without a terminal it needs --yes, in production the table's name",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => (item["hits"] = { N: "6" }));
      expect(await upload()).toMatchObject({ code: 5, stderr: expect.stringContaining("--yes") });

      const file = at("prod.json");
      await ground.lcops("dyn", "dump-row", table, "a", "-o", file, "--env", "prod");
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace('{"N": "5"}', '{"N": "8"}'));
      const inProduction = (...flags: string[]) =>
        ground.lcops("dyn", "upload-row", file, ...flags);
      expect(await inProduction("--yes")).toMatchObject({
        code: 5,
        stderr: expect.stringContaining(`--confirm ${table}`),
      });
      expect(await now()).toEqual(ROW);
      expect(await inProduction("--confirm", table)).toMatchObject({ code: 0, stderr: "" });
      expect(await now()).toEqual({ ...ROW, hits: { N: "8" } });
    },
  );

  testOn(emulator)("a row of one account is not written into another", async () => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", (item) => (item["hits"] = { N: "6" }));
    const { code, stderr } = await upload("--yes", "--env", "prod");
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(/account 111111111111, and that is not/),
    ]);
  });

  testOn(emulator)("without what the row was, only --replace overwrites it", async () => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", (item) => (item["hits"] = { N: "6" }));
    for (const file of ground.stateFiles("rows")) writeFileSync(file, "{}");
    expect(await upload("--yes")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("has been changed"),
    });
    for (const file of ground.stateFiles("rows")) rmSync(file);
    expect(await upload("--yes")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("not kept"),
    });
  });

  testOn(emulator, "maps and lists are compared")(
    "--replace overwrites the whole row, what others wrote too, and is undone",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => (item["hits"] = { N: "6" }));
      const other = { ...ROW, hits: { N: "9" }, unseen: { L: [{ N: "1" }] } };
      await ground.put(table, other);
      const { stdout } = await upload("--dry-run", "--replace");
      expect(stdout).toContain("an attribute that another writer adds meanwhile is lost");
      expect(await upload("--yes", "--replace")).toMatchObject({ code: 0, stderr: "" });
      expect(await now()).toEqual({ ...ROW, hits: { N: "6" } });
      expect(await ground.lcops("dyn", "undo", "--yes")).toMatchObject({ code: 0, stderr: "" });
      expect(await now()).toEqual(other);
    },
  );

  testOn(emulator)(
    "--create makes a row that is not there yet, and only one; undone it is gone",
    async () => {
      await ground.put(table, { id: { S: "a" }, hits: { N: "5" } });
      await dump();
      edit("row.json", (item) => (item["id"] = { S: "b" }));
      const created = () => ground.get(table, { id: { S: "b" } });
      expect(await upload("--create", "--yes")).toMatchObject({ code: 0, stderr: "" });
      expect(await created()).toEqual({ id: { S: "b" }, hits: { N: "5" } });
      edit("row.json", (item) => (item["hits"] = { N: "7" }));
      expect(await upload("--create", "--yes")).toMatchObject({
        code: 5,
        stderr: expect.stringMatching(
          /is there already[^]*hits\n {4}was {3}nothing\n {4}is {4}N 5\n {4}yours N 7\n/,
        ),
      });
      expect(await ground.lcops("dyn", "undo", "--yes")).toMatchObject({ code: 0, stderr: "" });
      expect(await created()).toBeUndefined();
    },
  );

  testOn(emulator)("what was changed since stands in the way of an undo", async () => {
    await ground.put(table, ROW);
    await dump();
    edit("row.json", (item) => (item["hits"] = { N: "6" }));
    expect(await upload("--yes")).toMatchObject({ code: 0 });
    await ground.put(table, { ...ROW, hits: { N: "7" } });
    const { code, stderr } = await ground.lcops("dyn", "undo", "--yes");
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(/was {3}N 6\n.*is {4}N 7\n.*yours N 5/),
    ]);
  });

  testOn(emulator)(
    "the journal is on the disk before the write, and history shows it",
    async () => {
      await ground.put(table, ROW);
      await dump();
      edit("row.json", (item) => (item["hits"] = { N: "6" }));
      await upload("--yes");
      const [intent, outcome] = ground.journal().slice(-2);
      expect(intent).toMatchObject({
        command: expect.stringContaining("dyn upload-row"),
        undo: { changes: [{ path: ["hits"], before: '{"N":"5"}', after: '{"N":"6"}' }] },
      });
      expect(outcome).toMatchObject({ outcomeOf: intent?.id, state: "done" });
      const { stdout } = await ground.lcops("history");
      expect(stdout.trimEnd().split("\n").at(-1)).toContain(`write a row of ${table}: a\tdone\t`);
    },
  );
});
