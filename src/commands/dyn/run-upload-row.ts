import { readFile } from "node:fs/promises";
import type { RowWish } from "../../services/dynamodb/plan-row.ts";
import type { Item } from "../../services/dynamodb/attribute-value.ts";
import type { RowFile } from "../../services/dynamodb/row-file.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { Context, Input } from "../command.ts";
import { type OpenTable, withOrigin } from "./open-table.ts";
import { type RowTask, writeThroughGate } from "./write-through-gate.ts";

/** Given what was typed, do what `lcops dyn upload-row` says and return the exit code. */
export async function runUploadRow(input: Input, context: Context): Promise<number> {
  const { parseRowFile } = await import("../../services/dynamodb/row-file.ts");
  const [path = ""] = input.operands;
  if (input.options["create"] === true && input.options["replace"] === true)
    throw new OperatorError("usage", "--create and --replace exclude each other");
  const file = parseRowFile(await read(path), path);
  return withOrigin(context, file.origin, async (open) =>
    writeThroughGate(context, open, await planTask(open, file, input, context)),
  );
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new OperatorError("usage", `cannot read ${path}: ${describeError(error)}`, {
      cause: error,
    });
  }
}

async function planTask(
  open: OpenTable,
  { origin, item }: RowFile,
  { options }: Input,
  context: Context,
): Promise<RowTask> {
  const { checkRow, wishEdit } = await import("../../services/dynamodb/plan-row.ts");
  const { recallBase } = await import("../../services/dynamodb/row-file.ts");
  if (options["create"] === true) {
    return {
      key: checkRow(open.table, item),
      wish: { kind: "whole", after: item },
      verb: "create a row of",
    };
  }
  if (options["replace"] === true) {
    const key = checkRow(open.table, item);
    return { key, wish: await wishReplace(open, key, item), verb: "replace a row of" };
  }
  const base = await recallBase(context.folders.state, origin.base ?? "");
  return { ...wishEdit(open.table, base, item), verb: "write a row of" };
}

/** What is overwritten is what is shown, and no other. */
async function wishReplace(open: OpenTable, key: Item, item: Item): Promise<RowWish> {
  const { readRow } = await import("../../services/dynamodb/read-row.ts");
  const before = await readRow(open.dynamoDb, open.table.name, key);
  return { kind: "whole", ...(before && { before }), after: item };
}
