import type { Table } from "../../services/dynamodb/describe-table.ts";
import { printable } from "../../system/printable.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { Measured } from "./run-capacity.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";

const BAR_WIDTH = 40;
/** A full scan reads 8 KB for a unit. */
const SCAN_UNIT_BYTES = 8192;

const round = (value: number): string =>
  value >= 100 ? `${Math.round(value)}` : `${Math.round(value * 100) / 100}`;

/** Given what was measured, print it for people. */
export function renderCapacity(measured: Measured, terminal: Terminal): void {
  const { report, table, forecast } = measured;
  const { bytes, units } = report;
  const sample = measured.isAll ? "all of them" : "a sample";
  const lines = [
    `${measured.name}: ${countOf(report.items, "item")} measured, ${sample}`,
    `item size    p50 ${describeBytes(bytes.p50, 1024)}, p95 ${describeBytes(bytes.p95, 1024)}, p99 ${describeBytes(bytes.p99, 1024)}, max ${describeBytes(bytes.max, 1024)}, mean ${describeBytes(Math.round(bytes.mean), 1024)}`,
    `one item     ${round(units.eventualRead)} units to read, ${round(units.strongRead)} strongly consistent, ${round(units.write)} to write; twice that in transactions`,
    ...(table ? describeNow(table, measured) : []),
    ...report.indexes.map(
      ({ name, share, writeUnits }) =>
        `index        ${name}: holds ${Math.round(share * 100)} %, ${round(writeUnits)} units more a write; twice that where its key changes, none where nothing of it does`,
    ),
    ...(forecast
      ? [
          `forecast     ${forecast.readUnits} read units (${forecast.strongReadUnits} strongly consistent), ${forecast.writeUnits} write units`,
          ...forecast.indexes.map(
            ({ name, writeUnits }) => `             ${name}: ${writeUnits} write units`,
          ),
        ]
      : []),
    `most bytes   ${report.attributes.map(({ name, bytes: size }) => `${name} ${describeBytes(size, 1024)}`).join(", ")}`,
    ...describeHistogram(measured),
  ];
  for (const line of lines) terminal.print(printable(line));
}

function describeNow({ provisioned, bytes: known }: Table, { isAll, report }: Measured): string[] {
  // The table's own figure is up to six hours old.
  const bytes = isAll ? Math.round(report.bytes.mean * report.items) : known;
  const scan = Math.ceil(bytes / SCAN_UNIT_BYTES);
  return [
    `now          ${provisioned ? `${countOf(provisioned.read, "read unit")} and ${countOf(provisioned.write, "write unit")} a second` : "on demand"}; a scan of ${describeBytes(bytes, 1024)} costs ${countOf(scan, "read unit")}${provisioned ? `, ${Math.ceil(scan / provisioned.read)} s of all of them` : ""}`,
  ];
}

function describeHistogram({ report: { histogram } }: Measured): string[] {
  const most = Math.max(1, ...histogram.map(({ items }) => items));
  const last = histogram.findLastIndex(({ items }) => items > 0);
  return histogram.slice(0, last + 1).map(({ upToBytes, items }) => {
    const bar = "▇".repeat(Math.ceil((items / most) * BAR_WIDTH));
    return `  ≤ ${describeBytes(upToBytes, 1024).padStart(7)}  ${bar} ${items}`;
  });
}
