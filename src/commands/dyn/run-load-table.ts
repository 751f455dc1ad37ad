import { basename } from "node:path";
import { describeError } from "../../system/errors.ts";
import type { ChangePlan } from "../../system/gate.ts";
import { printable } from "../../system/printable.ts";
import type { DumpSource } from "../../services/dynamodb/read-dump.ts";
import { keepMemoryFlat } from "../../system/keep-memory-flat.ts";
import { countOf } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { type OpenTable, withTable } from "./open-table.ts";
import { tellEvents } from "./tell-events.ts";

/** Given what was typed, do what `lcops dyn load-table` says and return the exit code. */
export async function runLoadTable(input: Input, context: Context): Promise<number> {
  keepMemoryFlat();
  const { findDump } = await import("../../services/dynamodb/read-dump.ts");
  const [path = "", name = ""] = input.operands;
  const source = await findDump(path);
  return withTable(context, name, (open) => load(open, source, path, context));
}

async function load(
  open: OpenTable,
  source: DumpSource,
  path: string,
  context: Context,
): Promise<number> {
  const { loadTable, validateDump } = await import("../../services/dynamodb/load-table.ts");
  const { startProgress } = await import("../../terminal/progress.ts");
  const { table, dynamoDb } = open;
  const { terminal } = context;
  const progress = startProgress(terminal);
  try {
    progress.update(`reading ${basename(path)} to its end before anything is written`);
    const items = await validateDump(source, table, context.signal);
    progress.end();
    const plan = describeLoad(open, { items, path, parts: source.parts.length });
    if (!(await context.gate(plan))) return 0;
    const record = await context.journal({ change: `${plan.title}, from ${path}` });
    const loading = startProgress(terminal);
    const events = tellEvents(terminal);
    events.begin({ table: table.name, file: path, items });
    let done = 0;
    try {
      const deadLetterPath = `${path.replace(/\/+$/, "")}.dead-letter.json`;
      const result = await loadTable(dynamoDb, source, table, {
        deadLetterPath,
        onProgress: (written) => {
          done = written;
          loading.update(`${written} of ${items} items`);
          events.progress({ written });
        },
      });
      loading.end();
      await record.end({
        state: result.left > 0 ? "failed" : "done",
        detail: `${countOf(result.written, "item")} written, ${result.left} not`,
      });
      events.end({ table: table.name, ...result });
      if (!terminal.flags.json)
        terminal.note(`${table.name}: ${countOf(result.written, "item")} written`);
      if (result.left === 0) return 0;
      terminal.warn(
        `lcops: ${table.name} has not taken ${result.left} of ${items} items; load them later with lcops dyn load-table ${printable(deadLetterPath)} ${table.name}`,
      );
      return 3;
    } catch (error) {
      const state = done > 0 || context.signal.aborted ? "unknown" : "failed";
      await record.end({
        state,
        detail: `${countOf(done, "item")} written: ${describeError(error)}`,
      });
      if (done === 0 || context.signal.aborted) throw error;
      loading.end();
      const why = printable(describeError(error));
      terminal.warn(`lcops: ${why}; ${done} of ${items} items are written; load it again`);
      return 3;
    } finally {
      loading.end();
    }
  } finally {
    progress.end();
  }
}

/** Returns the plan of a load, for the gate. Pure. */
export function describeLoad(
  {
    table,
    account,
    scope,
    isProduction,
  }: Pick<OpenTable, "table" | "account" | "scope" | "isProduction">,
  { items, path, parts }: { items: number; path: string; parts: number },
): ChangePlan {
  return {
    title: `load ${countOf(items, "item")} into ${table.name}`,
    lines: [
      `account ${account}, ${scope.region}${isProduction ? ", production" : ""}`,
      `from ${path}${parts > 1 ? `, in ${parts} parts` : ""}, all of it valid for the table`,
      "items with the same keys are overwritten, others stay",
    ],
    target: table.name,
    danger: "destroys",
    isProduction,
  };
}
