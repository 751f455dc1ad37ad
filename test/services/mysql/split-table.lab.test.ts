import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DumpOutcome } from "../../../src/services/backup-driver.ts";
import type { PartRecord, SetReader } from "../../../src/services/set-content.ts";
import { makeDigestSink } from "../../../src/services/mysql/measure.ts";
import { dumpMysql } from "../../../src/services/mysql/dump.ts";
import { measureMysql } from "../../../src/services/mysql/measure.ts";
import { openServer, type Server } from "../../../src/services/mysql/open-server.ts";
import { restoreMysql } from "../../../src/services/mysql/restore.ts";
import { conditionsOf, parseSplit } from "../../../src/services/mysql/split-table.ts";
import { type ScratchMysql, startScratchMysql } from "../../support/scratch-mysql.ts";

let scratch: ScratchMysql | undefined;
let server: Server;
beforeAll(async () => {
  scratch = await startScratchMysql();
  if (!scratch) return;
  server = await openServer(scratch.place);
  for (const sql of SCHEMA) await server.query(sql);
}, 60_000);
afterAll(async () => {
  await server?.close();
  await scratch?.close();
});

const SCHEMA = [
  "CREATE DATABASE big",
  "USE big",
  "CREATE TABLE seen (what VARCHAR(20) NOT NULL)",
  `CREATE TABLE \`or\`\`ders ü\` (id BIGINT NOT NULL AUTO_INCREMENT, part INT NOT NULL, email VARCHAR(40) NOT NULL, note TEXT,
    twice INT AS (part * 2) STORED, PRIMARY KEY (id, part), UNIQUE KEY \`ke\`\`y ü\` (email, id), KEY part (part) COMMENT 'it''s, (so)', KEY twice (twice), KEY prefix (note(5)))`,
  "INSERT INTO `or``ders ü` (id, part, email, note) SELECT CAST(seq AS SIGNED) - 2000, seq % 7, CONCAT(seq, '@x'), REPEAT('KEY `x`\\n  KEY `y` (`z`),\\n', seq % 5) FROM seq_1_to_5000",
  "CREATE TRIGGER counted AFTER INSERT ON `or``ders ü` FOR EACH ROW INSERT INTO seen VALUES ('row')",
  "CREATE TRIGGER uncounted AFTER DELETE ON `or``ders ü` FOR EACH ROW INSERT INTO seen VALUES ('gone')",
  // A server counts a table's pages now and then.
  "ANALYZE TABLE `or``ders ü`",
  "CREATE TABLE parent (id INT PRIMARY KEY, code INT NOT NULL, KEY code (code))",
  "CREATE TABLE child (id INT PRIMARY KEY, code INT NOT NULL, KEY other (id, code), CONSTRAINT refers FOREIGN KEY (code) REFERENCES parent (code))",
  // Both large: the one is made before the key that it refers to is built.
  "INSERT INTO parent SELECT seq, seq * 2 FROM seq_1_to_5000",
  "INSERT INTO child SELECT seq, seq * 2 FROM seq_1_to_5000",
  "ANALYZE TABLE parent, child",
  "CREATE TABLE found (id INT PRIMARY KEY, body TEXT, KEY body (body(3)), FULLTEXT KEY words (body))",
  "CREATE TABLE counting (a INT PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT, KEY n (n))",
  "INSERT INTO counting (a) VALUES (7)",
];

interface Kept extends SetReader {
  parts: PartRecord[];
}

/** A dump that is kept in memory, of which every table that can be is split. */
async function dump({ place, options }: ScratchMysql, splitBytes = 1): Promise<Kept> {
  const texts = new Map<string, Buffer>();
  const parts: PartRecord[] = [];
  const outcome: DumpOutcome = await dumpMysql(
    place,
    {
      ...makeDigestSink(),
      write: async (part, content) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of content) chunks.push(chunk);
        texts.set(part.path, Buffer.concat(chunks));
        const record = await makeDigestSink().write(part, Readable.from(chunks));
        parts.push(record);
        return record;
      },
    },
    { ...options, job: { service: "x", mysql: { exclude: ["rescued"] } }, splitBytes },
  );
  return {
    setId: "1",
    job: "x",
    kind: "mysql",
    objects: [],
    skipped: [],
    ...outcome,
    parts,
    read: (part) => Readable.from([texts.get(part.path) ?? Buffer.alloc(0)]),
  };
}

const isOf =
  (name: string) =>
  ({ object }: { object: string }): boolean =>
    object === `big.${name}`;

describe("a large table", () => {
  test("is dumped by ranges of its key, and comes back with its keys, its triggers and every row, once", async (context) => {
    if (!scratch) return context.skip("there is no mariadbd");
    const { place, options } = scratch;
    const set = await dump(scratch);
    const parts = set.parts.filter(isOf("or`ders ü")).map(({ role, seq }) => `${role} ${seq}`);
    expect(parts.toSorted()).toEqual(["rows 0", "rows 1", "table 0", "triggers 0"]);
    const fact = set.facts.find(isOf("or`ders ü"));
    expect(fact).toMatchObject({ rows: 5000 });
    expect(parseSplit(fact?.checksum)).toEqual({ column: "id", bounds: [500n] });
    // A second dump of what has not changed is as the first; of what has, it is not.
    expect(await measureMysql(place, set.facts, options)).toEqual(
      expect.arrayContaining([...set.facts]),
    );
    await server.query("UPDATE big.`or``ders ü` SET note = 'other' WHERE id = 2999");
    const changed = (await measureMysql(place, set.facts, options)).find(isOf("or`ders ü"));
    expect(changed?.rows).toBe(5000);
    expect(changed?.checksum).not.toBe(fact?.checksum);

    const done = new Set<string>();
    let left = 4;
    const restore = (): Promise<void> =>
      restoreMysql(
        set,
        { ...place, within: "rescued" },
        {
          ...options,
          origin: place,
          deferBytes: 0,
          isDone: ({ path }) => done.has(path),
          markDone: ({ path }) => {
            // Cut off behind a part that stands already, before that is known.
            if (left-- === 0) return Promise.reject(new Error("cut off"));
            done.add(path);
            return Promise.resolve();
          },
        },
      );
    await expect(restore()).rejects.toThrow("cut off");
    left = Number.POSITIVE_INFINITY;
    await restore();
    await restore();
    // What was dropped meanwhile does not stand any more, whatever is noted of it.
    await server.query("DROP TABLE rescued.child");
    await restore();
    await server.query("DROP DATABASE rescued");
    await restore();
    const createOf = async (database: string, table: string): Promise<unknown> => {
      const [row] = await server.query(`SHOW CREATE TABLE ${database}.\`${table}\``);
      return row?.["Create Table"];
    };
    for (const table of ["or``ders ü", "parent", "child", "found", "counting", "seen"])
      expect(await createOf("rescued", table)).toBe(await createOf("big", table));
    // Triggers stand behind the rows: none has fired, neither for what was loaded nor for what was loaded again.
    const count = async (sql: string): Promise<unknown> =>
      (await server.query(`SELECT COUNT(*) AS n FROM ${sql}`))[0]?.["n"];
    expect(await count("rescued.seen")).toBe(0);
    expect(await count("information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'rescued'")).toBe(2);
    expect(
      await count(
        "rescued.`or``ders ü` a JOIN big.`or``ders ü` b USING (id, part) WHERE a.email = b.email AND (a.note = b.note OR b.note = 'other')",
      ),
    ).toBe(5000);
    await expect(server.query("INSERT INTO rescued.child VALUES (9999, 1)")).rejects.toThrow(
      /foreign key/,
    );
    await server.query("DROP DATABASE rescued");
  }, 60_000);

  test("of which one is smaller, or has no key of numbers, is a part as any other", async (context) => {
    if (!scratch) return context.skip("there is no mariadbd");
    const whole = await dump(scratch, Number.POSITIVE_INFINITY);
    expect(whole.parts.map(({ role }) => role)).not.toContain("rows");
    await server.query("CREATE DATABASE named");
    await server.query("CREATE TABLE named.t (id CHAR(5) PRIMARY KEY, b LONGTEXT)");
    await server.query("INSERT INTO named.t SELECT seq, REPEAT('x', 4000) FROM big.seq_1_to_2000");
    await server.query("ANALYZE TABLE named.t");
    const set = await dump(scratch);
    expect(set.parts.filter(({ object }) => object === "named.t")).toHaveLength(1);
    await server.query("DROP DATABASE named");
  }, 60_000);
});

test.each([
  [
    [10n, 20n],
    ["`id` < 10", "`id` >= 10 AND `id` < 20", "`id` >= 20"],
  ],
  [[-5n], ["`id` < -5", "`id` >= -5"]],
  [[18446744073709551614n], ["`id` < 18446744073709551614", "`id` >= 18446744073709551614"]],
])("bounds %o leave no row out", (bounds, conditions) => {
  expect(conditionsOf({ column: "id", bounds })).toEqual(conditions);
});
