import { expect, test } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import type { PartRecord } from "../../src/services/set-content.ts";
import { describeShrinkage, findShrinkage } from "../../src/backup/find-shrinkage.ts";

const MB = 1e6;
type Rows = Readonly<Record<string, number>>;

const makePart = (bytes: number, more: Partial<PartRecord> = {}): PartRecord => ({
  path: "a.sql.zst",
  object: "a",
  role: "rows",
  seq: 0,
  plain: { bytes, sha256: "" },
  stored: { bytes: 1, sha256: "" },
  codec: ["zstd"],
  ...more,
});

const makeSet = (rows: Rows, plainBytes: number, more: Partial<Manifest> = {}) => ({
  setId: "20260101T000000Z-000001",
  service: "school",
  facts: Object.entries(rows).map(([object, count]) => ({ object, rows: count })),
  parts: [makePart(plainBytes)],
  skipped: [],
  ...more,
});

test.each<[string, [Rows, number], [Rows, number, Partial<Manifest>?], string[]]>([
  ["nothing has changed", [{ a: 50_000 }, 9 * MB], [{ a: 50_000 }, 9 * MB], []],
  ["it has grown", [{ a: 50_000 }, 9 * MB], [{ a: 90_000, b: 1 }, 20 * MB], []],
  ["a third is gone", [{ a: 9_000 }, 9 * MB], [{ a: 6_000 }, 6 * MB], []],
  [
    "a table is empty",
    [{ a: 50_000, b: 50_000 }, 9 * MB],
    [{ a: 50_000, b: 0 }, 5 * MB],
    ["b: 0 rows; it had 50000 rows in 20260101T000000Z-000001"],
  ],
  ["a small table is empty", [{ a: 50_000, b: 999 }, 9 * MB], [{ a: 50_000, b: 0 }, 9 * MB], []],
  [
    "a table is not there",
    [{ a: 50_000, b: 1_000 }, 9 * MB],
    [{ a: 50_000 }, 9 * MB],
    ["b: it is gone; it had 1000 rows in 20260101T000000Z-000001"],
  ],
  [
    "one that was left out is named as that",
    [{ a: 50_000, b: 1_000 }, 9 * MB],
    [{ a: 50_000 }, 9 * MB, { skipped: [{ object: "b", reason: "x" }] }],
    [],
  ],
  [
    "the bytes have gone without the rows",
    [{ a: 50_000 }, 9 * MB],
    [{ a: 50_000 }, 3 * MB],
    ["the set has 33 % of 20260101T000000Z-000001"],
  ],
  ["a set that was small", [{ a: 900 }, MB / 2], [{ a: 1 }, 100], []],
  [
    "all but a little stands in an earlier set",
    [{ a: 50_000 }, 9 * MB],
    [
      { a: 50_000 },
      1,
      { parts: [makePart(1), makePart(9 * MB, { in: "20260101T000000Z-000001" })] },
    ],
    [],
  ],
  [
    "the oldest day is gone, and the next has come",
    [{ "logs-2026.01.30": 9_000, "logs-2026.01.31": 9_000 }, 9 * MB],
    [{ "logs-2026.01.31": 9_000, "logs-2026.02.01": 1 }, 9 * MB],
    [],
  ],
  [
    "the youngest day is gone",
    [{ "logs-2026.01.30": 9_000, "logs-2026.01.31": 9_000 }, 9 * MB],
    [{ "logs-2026.01.30": 9_000, "other-2026.02.01": 9_000 }, 9 * MB],
    ["logs-2026.01.31: it is gone; it had 9000 rows in 20260101T000000Z-000001"],
  ],
  [
    "a number is no date",
    [{ shard_1: 9_000, shard_2: 9_000 }, 9 * MB],
    [{ shard_2: 9_000 }, 9 * MB],
    ["shard_1: it is gone; it had 9000 rows in 20260101T000000Z-000001"],
  ],
  [
    "another service has the job now",
    [{ a: 50_000 }, 9 * MB],
    [{ a: 1 }, 100, { service: "other" }],
    [],
  ],
  [
    "what is elsewhere has no facts",
    [{ a: 50_000 }, 9 * MB],
    [{}, 0, { external: { kind: "rds-snapshot", id: "x" } }],
    [],
  ],
])("%s", (_what, [rows, bytes], [rowsNow, bytesNow, more], lines) => {
  const found = findShrinkage(makeSet(rows, bytes), makeSet(rowsNow, bytesNow, more));
  expect(describeShrinkage(found)).toEqual(lines);
});
