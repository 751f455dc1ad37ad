import { describe, expect, test } from "vitest";
import { FORMAT } from "../../src/backup/manifest.ts";
import { makeSetId } from "../../src/backup/set-id.ts";
import { exitCodeOf } from "../../src/cli/exit-code-of.ts";
import { EXIT_CODES } from "../../src/commands/exit-codes.ts";
import { commands } from "../../src/commands/index.ts";
import { OperatorError, type ErrorKind } from "../../src/system/errors.ts";
import { renameOld } from "../support/parse-command-line.ts";
import { GLOBAL_FLAGS } from "../support/list-flags.ts";
import { readPage } from "../support/read-documents.ts";
import { readTable } from "../support/read-table.ts";
import { writeSynopsis } from "../support/write-synopsis.ts";

const page = readPage("docs/contract.md");
const { code, spans } = page;
const synopses = code
  .filter(({ language, text }) => language === "synopsis" && text !== "")
  .map(({ text }) => text);

/** Returns the rows of the table with that head, without backticks. */
const readPlain = (...head: string[]): string[][] =>
  readTable(page, ...head).map((row) => row.map((cell) => cell.replaceAll("`", "")));

describe("the synopses of the contract", () => {
  const heads = synopses.map((line) => line.replace(/ \[?-- [A-Z].*$/, ""));

  test("are those of all commands, with every operand and flag", () => {
    expect(heads.toSorted()).toEqual(commands.map(writeSynopsis).toSorted());
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    "of %s says whether words may follow --",
    (_name, command) => {
      const line = synopses.find((text) => `${text} `.startsWith(`${writeSynopsis(command)} `));
      expect(line?.includes(" -- ") || line?.includes(" [-- ")).toBe(command.rest !== undefined);
    },
  );
});

test("the contract has the flags of every command", () => {
  const flags = readPlain("flag", "meaning").flatMap(([cell = ""]) => cell.match(/--[a-z-]+/g));
  expect(flags).toEqual(GLOBAL_FLAGS);
});

test("the contract has every old name", () => {
  const known = commands.flatMap(({ name, aliases = [], script }) => {
    const words = name.split(" ");
    const olds = aliases.map((alias) => [...words.slice(0, -1), alias].join(" "));
    return [...olds, ...(script === undefined ? [] : [script])].map((old) => [old, name]);
  });
  const listed = readPlain("old name", "command").map(([old = "", name]) => [
    old.replace(/^lcops /, ""),
    name,
  ]);
  const renamed = listed.filter(([old = ""]) => renameOld([old]).length > 1);
  expect(renamed.map(([old = "", name]) => [renameOld([old]).join(" "), name])).toEqual([
    ["fleet upgrade", "fleet upgrade"],
  ]);
  const others = listed.filter((row) => !renamed.includes(row));
  expect(Object.fromEntries(others)).toEqual(Object.fromEntries(known));
});

describe("the exit codes of the contract", () => {
  test("are those of lcops help exit-codes", () => {
    const expected = EXIT_CODES.map(({ code, meaning }) => [code, meaning]);
    expect(readPlain("code", "meaning")).toEqual(expected);
  });

  test("are those to which errors lead", () => {
    const kinds: Record<ErrorKind, true> = {
      usage: true,
      configuration: true,
      missing: true,
      access: true,
      unreachable: true,
      refused: true,
      locked: true,
      cancelled: true,
      failed: true,
    };
    const expected = (Object.keys(kinds) as ErrorKind[]).map((kind) => [
      kind,
      String(exitCodeOf(new OperatorError(kind, "x"))),
    ]);
    expect(readPlain("kind", "code").map(([kind, code]) => [kind, code])).toEqual(expected);
  });
});

test("the contract names the format of sets and shows how they are named", () => {
  const words = spans.map(({ text }) => text);
  expect(words).toContain(FORMAT);
  const now = new Date("2026-01-31T02:15:00Z");
  expect(words.find((word) => word.startsWith("20260131T"))?.length).toBe(makeSetId(now).length);
});
