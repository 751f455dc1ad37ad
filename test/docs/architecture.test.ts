import { expect, test } from "vitest";
import { PACKAGES, ROOMS } from "../../oxlint.config.js";
import { listFiles, readPage } from "../support/read-documents.ts";
import { readTable } from "../support/read-table.ts";

const page = readPage("docs/architecture.md");
const rooms: Record<string, readonly string[]> = ROOMS;

/** Returns the names in a cell: each between backticks. */
const namesIn = (cell = ""): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

test("the page says of every room which others it may import, as the linter does", () => {
  const said = readTable(page, "room", "may import").map(([room, open]) => [
    namesIn(room)[0],
    namesIn(open),
  ]);
  expect(Object.fromEntries(said)).toEqual(rooms);
  expect(said.map(([room]) => room)).toEqual(Object.keys(rooms));
});

test("the page says what every room is for", () => {
  const said = readTable(page, "room", "what it is for").flatMap(([room]) => namesIn(room));
  expect(said.toSorted()).toEqual(Object.keys(rooms).toSorted());
});

test("the page says which room wraps a package, as the linter does", () => {
  const said = readTable(page, "package", "room").map(([names, owners]) => [
    namesIn(names).join(","),
    namesIn(owners),
  ]);
  expect(Object.fromEntries(said)).toEqual(PACKAGES);
});

test("every file of src that the page names is there", () => {
  const files = new Set(listFiles());
  const named = page.spans.map(({ text }) => text).filter((text) => /^src\/.*\.ts$/.test(text));
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter((file) => !files.has(file) && file !== "src/aws/x.ts");
  expect(missing).toEqual([]);
});
