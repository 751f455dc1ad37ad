import { describe, expect, test } from "vitest";
import { renderCapacity } from "../../../src/commands/dyn/render-capacity.ts";
import type { Measured } from "../../../src/commands/dyn/run-capacity.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeTable } from "../../support/fake-table.ts";
import { makeFakeTerminal } from "../../terminal/fake-streams.ts";

const MEASURED: Measured = {
  name: "users",
  isAll: true,
  report: {
    items: 200,
    bytes: { mean: 819.2, p50: 700, p95: 900, p99: 1_500, max: 2_048 },
    units: { eventualRead: 0.5, strongRead: 1, write: 1.255 },
    indexes: [{ name: "by_at", share: 0.5, writeUnits: 123.4 }],
    histogram: [
      { upToBytes: 256, items: 0 },
      { upToBytes: 1_024, items: 150 },
      { upToBytes: 2_048, items: 50 },
      { upToBytes: 409_600, items: 0 },
    ],
    attributes: [{ name: "text\u001b", bytes: 90_000 }],
  },
};

function render(more: Partial<Measured> = {}): string[] {
  const { terminal, out } = makeFakeTerminal(PIPED);
  renderCapacity({ ...MEASURED, ...more }, terminal);
  return out().trimEnd().split("\n");
}

describe("the capacity of a table", () => {
  test("is told by its sizes, units, indexes and a histogram to its last bin", () => {
    expect(render()).toEqual([
      "users: 200 items measured, all of them",
      "item size    p50 700 B, p95 900 B, p99 1.5 KB, max 2.0 KB, mean 819 B",
      "one item     0.5 units to read, 1 strongly consistent, 1.25 to write; twice that in transactions",
      "index        by_at: holds 50 %, 123 units more a write; twice that where its key changes, none where nothing of it does",
      "most bytes   text\\x1b 87.9 KB",
      `  ≤   256 B   0`,
      `  ≤  1.0 KB  ${"▇".repeat(40)} 150`,
      `  ≤  2.0 KB  ${"▇".repeat(14)} 50`,
    ]);
  });

  test("is told with what a scan costs: of all that was measured, else of the table's own size", () => {
    const table = makeTable({ bytes: 819_200, provisioned: { read: 7, write: 2 } });
    expect(render({ table })[3]).toBe(
      "now          7 read units and 2 write units a second; a scan of 160 KB costs 20 read units, 3 s of all of them",
    );
    const sample = render({ table: makeTable({ bytes: 819_200 }), isAll: false });
    expect(sample[0]).toBe("users: 200 items measured, a sample");
    expect(sample[3]).toBe("now          on demand; a scan of 800 KB costs 100 read units");
  });

  test("is told with a forecast where one was asked for", () => {
    const forecast = {
      readUnits: 25,
      strongReadUnits: 50,
      writeUnits: 13,
      indexes: [{ name: "by_at", writeUnits: 7 }],
    };
    expect(render({ forecast }).slice(4, 6)).toEqual([
      "forecast     25 read units (50 strongly consistent), 13 write units",
      "             by_at: 7 write units",
    ]);
  });
});
