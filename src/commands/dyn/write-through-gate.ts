import type { Item } from "../../services/dynamodb/attribute-value.ts";
import { applyChange } from "../../services/dynamodb/diff-items.ts";
import { measureItem } from "../../services/dynamodb/item-size.ts";
import { planRow, type RowPlan, type RowWish } from "../../services/dynamodb/plan-row.ts";
import { readRow } from "../../services/dynamodb/read-row.ts";
import { describeKey } from "../../services/dynamodb/row-key.ts";
import { recordWish } from "../../services/dynamodb/row-undo.ts";
import { UnknownOutcome, writeRow } from "../../services/dynamodb/write-row.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { ChangeRecord } from "../../system/journal.ts";
import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import type { Context } from "../command.ts";
import { describeAttributeChange, describeConflict } from "./describe-change.ts";
import type { OpenTable } from "./open-table.ts";

export interface RowTask {
  key: Item;
  wish: RowWish;
  /** What it is in words, without the row: `write`, `undo 3f9a1c22 of`. */
  verb: string;
}

/** What another writer did in between is merged as often; then there is more going on than an edit can cope with. */
const MOST_ROUNDS = 4;

type Write = Extract<RowPlan, { kind: "write" }>;

/**
 * Given a table and what is wished of a row, show it, have it confirmed, write it into the journal and then into the table; return the exit code.
 * Throws `refused` with a three-way diff where another writer has changed the same.
 */
export async function writeThroughGate(
  context: Context,
  open: OpenTable,
  task: RowTask,
): Promise<number> {
  const { table, dynamoDb } = open;
  const { key } = task;
  const now = await readRow(dynamoDb, table.name, key);
  const plan = planOrRefuse(open, task, now);
  if (!plan) return tellNothing(context, open, task);
  if (!(await context.gate(describeWrite(open, task, plan, now)))) return 0;
  return writeInRounds(context, open, task, plan);
}

/** Of a plan, what it is to be undone with: no more than it changes itself. */
function journalPlan(context: Context, open: OpenTable, task: RowTask, plan: Write) {
  const { key, wish, verb } = task;
  const written =
    wish.kind === "whole" ? wish : { kind: "changes" as const, changes: plan.changes };
  return context.journal({
    change: `${verb} ${open.table.name}: ${describeKey(key)}`,
    undo: recordWish(originOf(open), key, written),
  });
}

async function writeInRounds(
  context: Context,
  open: OpenTable,
  task: RowTask,
  first: Write,
): Promise<number> {
  const { table, dynamoDb } = open;
  let [plan, mayHaveLanded]: [Write | undefined, boolean] = [first, false];
  let record = await journalPlan(context, open, task, first);
  try {
    for (let round = 0; plan && round < MOST_ROUNDS; round++) {
      const outcome = await writeRow(dynamoDb, table.name, task.key, plan.write);
      const tried: Write = plan;
      if (outcome.state === "refused") {
        mayHaveLanded ||= outcome.mayHaveLanded;
        plan = planOrRefuse(open, task, outcome.now, mayHaveLanded);
        if (plan && plan.changes.length < tried.changes.length) {
          const state = outcome.mayHaveLanded ? "unknown" : "failed";
          await record.end({ state, detail: "another writer has made a part of it meanwhile" });
          record = await journalPlan(context, open, task, plan);
        }
      }
      if (outcome.state === "done" || (!plan && mayHaveLanded)) {
        await record.end({ state: "done" });
        return tellDone(context, open, task, tried, record);
      }
    }
    if (plan) {
      const what = `${table.name}: ${describeKey(task.key)} is changed faster than it can be written`;
      throw mayHaveLanded
        ? new UnknownOutcome("refused", `${what}; whether it was once is not known`, {
            next: "look with lcops dyn dump-row before you repeat it",
          })
        : new OperatorError("refused", what, { next: "nothing was written; try again" });
    }
    await record.end({ state: "failed", detail: "it was so already" });
    return tellNothing(context, open, task);
  } catch (error) {
    const state = error instanceof UnknownOutcome || context.signal.aborted ? "unknown" : "failed";
    await record.end({ state, detail: describeError(error) });
    throw error;
  }
}

/** Returns what is to be written, undefined where nothing is left to do. Throws `refused` where another writer stands in the way. Pure. */
export function planOrRefuse(
  { table }: Pick<OpenTable, "table">,
  { key, wish }: RowTask,
  now: Item | undefined,
  mayHaveLanded = false,
) {
  const plan = planRow(table, key, wish, now);
  if (plan.kind === "nothing") return undefined;
  if (plan.kind === "write") return plan;
  const row = `${table.name}: ${describeKey(key)}`;
  const why =
    wish.kind === "whole" && !wish.before
      ? "is there already"
      : now
        ? "was changed by another writer meanwhile"
        : "is not there any more";
  const more = {
    next: "dump it again and repeat the edit on what it is now",
    details: plan.conflicts.flatMap(describeConflict),
  };
  throw mayHaveLanded
    ? new UnknownOutcome(
        "refused",
        `${row} ${why}; whether yours was written before is not known`,
        more,
      )
    : new OperatorError("refused", `${row} ${why}, and nothing was written`, more);
}

/** Returns the plan of a write, for the gate. Pure. */
export function describeWrite(
  open: Pick<OpenTable, "table" | "scope" | "account" | "isProduction">,
  task: RowTask,
  plan: Write,
  now: Item | undefined,
) {
  const { table, scope, account } = open;
  const after: Item = plan.changes.reduce(applyChange, now ?? new Map());
  const units = Math.ceil(Math.max(measureItem(after), now ? measureItem(now) : 0, 1) / 1024);
  const others = [
    ...(now && plan.write.operation !== "UpdateItem"
      ? ["the whole row: an attribute that another writer adds meanwhile is lost"]
      : []),
    ...(table.replicas.length > 0
      ? [`a global table: in ${table.replicas.join(", ")} the last writer wins`]
      : []),
  ];
  return {
    title: `${task.verb} ${table.name}: ${describeKey(task.key)}`,
    lines: [
      `account ${account}, ${scope.region}${open.isProduction ? ", production" : ""}`,
      ...plan.changes.map(describeAttributeChange),
      `${(measureItem(after) / 1024).toFixed(1)} KB of 400, ${countOf(units, "write unit")}`,
      ...others,
    ],
    target: table.name,
    danger: "writes" as const,
    isProduction: open.isProduction,
    undo: "lcops dyn undo",
  };
}

/** Where a row is, for its file and the journal. */
export function originOf({ table, account, scope, dynamoDb }: OpenTable) {
  const endpoint = dynamoDb.endpoint();
  return {
    table: table.name,
    arn: table.arn,
    account,
    region: scope.region,
    ...(endpoint !== undefined && { endpoint }),
  };
}

function tellNothing({ terminal }: Context, { table }: OpenTable, { key }: RowTask): number {
  if (terminal.flags.json)
    terminal.printJson({ table: table.name, written: false, changes: [], journal: null });
  else terminal.note(printable(`${table.name}: ${describeKey(key)} is so already, nothing to do`));
  return 0;
}

function tellDone(
  { terminal }: Context,
  { table }: OpenTable,
  { key }: RowTask,
  { changes }: Write,
  { id }: ChangeRecord,
): number {
  if (terminal.flags.json) {
    const paths = changes.map(({ path }) => path);
    terminal.printJson({ table: table.name, written: true, changes: paths, journal: id });
  } else
    terminal.note(
      printable(`${table.name}: ${describeKey(key)} is written; lcops dyn undo ${id} undoes it`),
    );
  return 0;
}
