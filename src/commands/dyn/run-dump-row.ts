import { readFile, rename } from "node:fs/promises";
import type { Item } from "../../services/dynamodb/attribute-value.ts";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { escapeInJson } from "../../terminal/terminal.ts";
import type { Context, Input } from "../command.ts";
import { type OpenTable, withTable } from "./open-table.ts";
import { readOutputPath } from "./output-path.ts";
import { originOf } from "./write-through-gate.ts";

/** Given what was typed, do what `lcops dyn dump-row` says and return the exit code. */
export async function runDumpRow(input: Input, context: Context): Promise<number> {
  const [name = "", ...words] = input.operands;
  const path = await readOutputPath(input.options["output"] ?? "row.json");
  return withTable(context, name, async (open) => {
    const { text } = await fetchRow(open, words, context);
    if (path === "-") context.terminal.print(escapeInJson(text.trimEnd()));
    else await writeBeside(path, text, context);
    return 0;
  });
}

/** Given a table and the words of a key, return the row, its key, and its file's text; what it was is kept for its upload. Throws `usage` where there is none. */
export async function fetchRow(
  open: OpenTable,
  words: readonly string[],
  context: Context,
): Promise<{ text: string; item: Item; key: Item }> {
  const { describeKey, parseRowKey } = await import("../../services/dynamodb/row-key.ts");
  const { readRow } = await import("../../services/dynamodb/read-row.ts");
  const { formatRowFile, keepBase } = await import("../../services/dynamodb/row-file.ts");
  const { table, dynamoDb } = open;
  const key = parseRowKey(table, words);
  const item = await readRow(dynamoDb, table.name, key);
  if (!item) {
    throw new OperatorError("usage", `${table.name} has no row ${describeKey(key)}`, {
      next: "look for it with lcops dyn dump-table",
    });
  }
  const base = await keepBase(context.folders.state, item).catch((error: unknown) => {
    throw new OperatorError("failed", `cannot keep what the row is: ${describeError(error)}`, {
      next: "its upload could not tell your edit without that; mend it first",
      cause: error,
    });
  });
  const origin = { ...originOf(open), fetchedAt: new Date().toISOString(), base };
  return { text: formatRowFile({ origin, item }), item, key };
}

/** An edit that stands there is not lost: it gets a name of its own, and its own again where the new one cannot be written. */
async function writeBeside(path: string, text: string, { terminal }: Context): Promise<void> {
  const { writeFileAtomically } = await import("../../system/atomic-file.ts");
  const beside = await nameBeside(path);
  let hadOne = false;
  try {
    hadOne = await rename(path, beside).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) !== "ENOENT") throw error;
        return false;
      },
    );
    await writeFileAtomically(path, text);
  } catch (error) {
    if (hadOne) await rename(beside, path);
    throw new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
      next: "name a file that can be written",
      cause: error,
    });
  }
  if (terminal.flags.json) terminal.printJson({ file: path });
  else terminal.note(printable(`${path}${hadOne ? `; the one that was there is ${beside}` : ""}`));
}

/** The first such name that is free, or has no edit either. */
async function nameBeside(path: string): Promise<string> {
  const { isUnedited } = await import("../../services/dynamodb/row-file.ts");
  for (let number = 1; ; number++) {
    const beside = `${path}~${number === 1 ? "" : number}`;
    const text = await readFile(beside, "utf8").catch((error: unknown) =>
      errorCode(error) === "ENOENT" ? undefined : "",
    );
    if (text === undefined || isUnedited(text)) return beside;
  }
}
