import { describe, expect, test } from "vitest";
import { removeTwins, renderTables } from "../../../src/commands/dyn/run-tables.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeTable } from "../../support/fake-table.ts";
import { makeFakeTerminal } from "../../terminal/fake-streams.ts";

const PLACE = { region: "us-west-2", account: "111111111111" };
const listed = { ...PLACE, table: makeTable() };

test("a table of an account that several environments share is listed once", () => {
  const others = [
    { ...listed, region: "eu-west-1" },
    { ...listed, account: "2" },
    { ...listed, table: makeTable({ name: "rows" }) },
  ];
  expect(removeTwins([listed, ...others, { ...listed }])).toEqual([listed, ...others]);
});

async function render(json: boolean, ...tables: Parameters<typeof renderTables>[0]) {
  const { terminal, out } = makeFakeTerminal({ ...PIPED, flags: { json } });
  await renderTables(tables, { terminal });
  return out();
}

describe("tables", () => {
  test("are a line each: items, size, capacity, keys, indexes, state", async () => {
    const range = makeTable({
      key: [
        { name: "id", type: "S" },
        { name: "at", type: "N" },
      ],
      provisioned: { read: 5, write: 2 },
      indexes: [{ name: "by_at", kind: "global", key: [], projected: "all" }],
      status: "UPDATING",
    });
    expect(await render(false, listed, { ...PLACE, table: range })).toBe(
      "users\tus-west-2\t3\t80.0 KB\ton demand\tid (S)\t\tACTIVE\n" +
        "users\tus-west-2\t3\t80.0 KB\t5 read, 2 write\tid (S), at (N)\tby_at\tUPDATING\n",
    );
  });

  test("say null in JSON where they are on demand", async () => {
    expect(JSON.parse(await render(true, listed))).toMatchObject([
      { region: "us-west-2", account: "111111111111", name: "users", provisioned: null },
    ]);
  });
});
