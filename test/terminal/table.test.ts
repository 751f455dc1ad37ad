import { describe, expect, test } from "vitest";
import { cutToWidth, printTable, type Column } from "../../src/terminal/table.ts";
import { makeFakeTerminal, type Setting } from "./fake-streams.ts";

interface Row {
  name: string;
  more: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", value: ({ name }) => name },
  { title: "MORE", value: ({ more }) => more },
];
/** As `lcops hosts` has them. */
const SEVEN: readonly Column<Row>[] = [
  "NAME",
  "ENV",
  "ROLE",
  "REGION",
  "KIND",
  "ADDRESS",
  "SOURCE",
].map((title, index) => ({ title, value: (row) => (index % 2 === 0 ? row.name : row.more) }));
const ROWS: readonly Row[] = [
  { name: "web", more: "x".repeat(300) },
  { name: "\u65e5\u672c\u8a9e".repeat(40), more: "\u{1f600}".repeat(40) },
  { name: "e\u0301".repeat(50), more: "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}".repeat(20) },
  { name: "", more: "" },
  { name: "a\u001b[31mb\u202ec\nd\te", more: "\u009b2J" },
];
const render = (
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  setting: Setting,
): string[] => {
  const { terminal, out } = makeFakeTerminal(setting);
  printTable(terminal, rows, columns);
  return out().replace(/\n$/, "").split("\n");
};

/** Cells that a line takes: known for the characters of these rows, without asking what the table asks. */
function cellsOf(line: string): number {
  let cells = 0;
  for (const { segment } of new Intl.Segmenter().segment(line))
    cells += /\p{Script=Han}|\p{Emoji_Presentation}/u.test(segment) ? 2 : 1;
  return cells;
}

describe("a table on a screen", () => {
  test("has a head, and its columns are aligned", () => {
    const rows = [
      { name: "GraphStats", more: "a" },
      { name: "\u65e5\u672c", more: "b" },
    ];
    expect(render(COLUMNS, rows, { environment: { NO_COLOR: "1" } })).toEqual([
      "NAME        MORE",
      "GraphStats  a",
      "\u65e5\u672c        b",
    ]);
  });

  test.each([
    ["two", COLUMNS],
    ["seven", SEVEN],
  ])("of %s columns fits every width from 20 to 200, whatever is in it", (_count, columns) => {
    for (let width = 20; width <= 200; width++) {
      const lines = render(columns, ROWS, { columns: width, environment: { NO_COLOR: "1" } });
      expect(lines).toHaveLength(ROWS.length + 1);
      const widest = Math.max(...lines.map(cellsOf));
      expect(widest, `at width ${width}`).toBeLessThanOrEqual(width);
    }
  });

  test("cuts only what does not fit, and marks the cut", () => {
    const rows = [{ name: "short", more: "y".repeat(60) }];
    const lines = render(COLUMNS, rows, { columns: 40, environment: { NO_COLOR: "1" } });
    expect(lines[1]).toMatch(/^short {2}y+\u2026$/);
    expect(cellsOf(lines[1] ?? "")).toBeGreaterThanOrEqual(36);
  });

  test("shows control characters instead of obeying them", () => {
    const rows = [{ name: "a\u001b[31mb\u202ec\nd", more: "\u009b2J\u0007" }];
    expect(render(COLUMNS, rows, { environment: { NO_COLOR: "1" } })[1]).toBe(
      "a\\x1b[31mb\\u202ec\\nd  \\x9b2J\\x07",
    );
  });

  test("paints cells without moving the columns behind them", () => {
    const columns: readonly Column<Row>[] = [
      { title: "NAME", value: ({ name }) => name, paint: (text) => `<${text}>` },
      { title: "MORE", value: ({ more }) => more },
    ];
    const rows = [{ name: "ab", more: "x" }];
    expect(render(columns, rows, { environment: { NO_COLOR: "1" } })[1]).toBe("<ab>    x");
  });

  test("without rows is its head alone", () => {
    expect(render(COLUMNS, [], { environment: { NO_COLOR: "1" } })).toEqual(["NAME  MORE"]);
  });
});

describe("a table in a pipe", () => {
  test("is separated by tabs, without a head, whole and without colours", () => {
    const rows = [{ name: "web", more: "x".repeat(500) }];
    expect(render(COLUMNS, rows, { stdout: false })).toEqual([`web\t${"x".repeat(500)}`]);
  });

  test("has one line for each row, whatever is in it", () => {
    const rows = [{ name: "a\tb\nc", more: "\u001b[2J" }];
    expect(render(COLUMNS, rows, { stdout: false })).toEqual(["a\\x09b\\nc\t\\x1b[2J"]);
  });
});

describe("a text cut to a width", () => {
  test.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab\u2026"],
    ["\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026"],
    ["\u65e5\u672c\u8a9e", 4, "\u65e5\u2026"],
    [
      "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}ab",
      3,
      "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u2026",
    ],
    ["e\u0301e\u0301e\u0301", 2, "e\u0301\u2026"],
    ["abc", 1, "\u2026"],
  ])("%j in %i cells is %j", (text, width, expected) => {
    expect(cutToWidth(text, width)).toBe(expected);
  });
});
