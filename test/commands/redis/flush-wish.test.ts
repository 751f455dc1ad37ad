import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFlushWish } from "../../../src/commands/redis/flush-wish.ts";
import { runInProcess } from "../../support/run-in-process.ts";

describe("readFlushWish", () => {
  test.each<[object, object]>([
    [{ pattern: "api:*" }, { kind: "pattern", pattern: "api:*" }],
    [
      { pattern: "api:*", db: "3" },
      { kind: "pattern", pattern: "api:*", database: 3 },
    ],
    // `--db` without a number is the configured one.
    [
      { pattern: "api:*", db: true },
      { kind: "pattern", pattern: "api:*" },
    ],
    [{ db: true }, { kind: "database" }],
    [{ db: "0" }, { kind: "database", database: 0 }],
    [{ db: "12" }, { kind: "database", database: 12 }],
    [{ all: true }, { kind: "all" }],
    [{ pattern: "?" }, { kind: "pattern", pattern: "?" }],
    [{ pattern: "*\\*" }, { kind: "pattern", pattern: "*\\*" }],
  ])("%j is %j", (options, wish) => {
    expect(readFlushWish({ ...options })).toEqual(wish);
  });

  test("takes no number of a database but digits", () => {
    fc.assert(
      fc.property(fc.string(), (db) => {
        fc.pre(!/^\d{1,9}$/.test(db));
        expect(() => readFlushWish({ db })).toThrow(/is no number of a database/);
      }),
      { examples: [["-1"], ["1.0"], ["1e3"], [" 1"], ["0x1"], ["1234567890"], [""], ["1\n"]] },
    );
  });

  test("never takes stars alone for a pattern", () => {
    for (let stars = 0; stars < 9; stars++)
      expect(() => readFlushWish({ pattern: "*".repeat(stars) })).toThrow(/is every key/);
  });
});

describe("redis flush", () => {
  test.each<[string[], string]>([
    [[], "name --pattern GLOB, --db for the whole database, or --all"],
    [["--pattern", "*"], "--pattern * is every key of the database; use --db"],
    [["--pattern", "***"], "--pattern *** is every key of the database; use --db"],
    [["--pattern", ""], "is every key of the database"],
    [["--pattern", "", "--db"], "--pattern '' is every key of the database"],
    [["--all", "--db"], "--all is every database"],
    [["--all", "--pattern", "x"], "--all is every database"],
    [["--db", "first"], "--db first is no number of a database"],
  ])("with %j is refused before anything is read or asked", async (words, said) => {
    const result = await runInProcess(["redis", "flush", "cache", ...words, "--yes"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(said);
  });
});
