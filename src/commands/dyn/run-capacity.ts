import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Table } from "../../services/dynamodb/describe-table.ts";
import type { CapacityForecast, CapacityReport } from "../../services/dynamodb/measure-capacity.ts";
import { OperatorError } from "../../system/errors.ts";
import { keepMemoryFlat } from "../../system/keep-memory-flat.ts";
import { countOf } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { renderCapacity } from "./render-capacity.ts";
import { withTable } from "./open-table.ts";

export interface Measured {
  name: string;
  report: CapacityReport;
  forecast?: CapacityForecast;
  /** Whether every item was measured. */
  isAll: boolean;
  /** Absent for a file without a manifest. */
  table?: Table;
}

/** Given what was typed, do what `lcops dyn capacity` says and return the exit code. */
export async function runCapacity(input: Input, context: Context): Promise<number> {
  keepMemoryFlat();
  const rates = { reads: readRate(input, "reads"), writes: readRate(input, "writes") };
  const [name = ""] = input.operands;
  const measured = await (isDump(name) ? measureFile(name, context) : measureTable(name, context));
  const { forecastCapacity } = await import("../../services/dynamodb/measure-capacity.ts");
  const isAsked = rates.reads !== undefined || rates.writes !== undefined;
  const forecast = isAsked
    ? forecastCapacity(measured.report, { reads: rates.reads ?? 0, writes: rates.writes ?? 0 })
    : undefined;
  const { terminal } = context;
  if (terminal.flags.json)
    terminal.printJson({
      ...measured,
      table: measured.table ?? null,
      forecast: forecast ?? null,
    });
  else renderCapacity({ ...measured, ...(forecast && { forecast }) }, terminal);
  return 0;
}

/** A folder may well have the name of a table; that of an export of AWS says what is in it. */
function isDump(name: string): boolean {
  if (!existsSync(name)) return false;
  return !statSync(name).isDirectory() || existsSync(join(name, "manifest-files.json"));
}

function readRate({ options }: Input, name: "reads" | "writes"): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const [, rate] = /^(\d{1,9}(?:\.\d{1,3})?)(?:\/s)?$/.exec(given as string) ?? [];
  if (rate !== undefined) return Number(rate);
  throw new OperatorError("usage", `--${name}: ${JSON.stringify(given)} is no rate`, {
    next: "give items by the second, e.g. 50/s",
  });
}

async function measureFile(path: string, context: Context): Promise<Measured> {
  const { makeCapacityMeter } = await import("../../services/dynamodb/measure-capacity.ts");
  const { findDump, readDump } = await import("../../services/dynamodb/read-dump.ts");
  const { startProgress } = await import("../../terminal/progress.ts");
  const source = await findDump(path);
  const table = source.manifest?.table;
  const meter = makeCapacityMeter(table ?? { key: [], indexes: [] });
  const progress = startProgress(context.terminal);
  let items = 0;
  try {
    for await (const { item } of readDump(source, context.signal)) {
      meter.add(item);
      // A line on the screen costs more than a thousand items.
      if (++items % 1000 === 0) progress.update(`${countOf(items, "item")} measured`);
    }
  } finally {
    progress.end();
  }
  return { name: path, report: meter.report(), isAll: true, ...(table && { table }) };
}

async function measureTable(name: string, context: Context): Promise<Measured> {
  const { makeCapacityMeter } = await import("../../services/dynamodb/measure-capacity.ts");
  const { sampleTable } = await import("../../services/dynamodb/sample-table.ts");
  const { startProgress } = await import("../../terminal/progress.ts");
  return withTable(context, name, async ({ dynamoDb, table }) => {
    const meter = makeCapacityMeter(table);
    const progress = startProgress(context.terminal);
    const isAll = await sampleTable(dynamoDb, table, meter, (items) =>
      progress.update(`${countOf(items, "item")} measured`),
    ).finally(progress.end);
    return { name, report: meter.report(), isAll, table };
  });
}
