import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../system/atomic-file.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context, Input } from "../command.ts";
import { fetchRow } from "./run-dump-row.ts";
import { type OpenTable, withTable } from "./open-table.ts";
import { type RowTask, writeThroughGate } from "./write-through-gate.ts";
import type { Item } from "../../services/dynamodb/attribute-value.ts";

/** Given what was typed, do what `lcops dyn edit-row` says and return the exit code. */
export async function runEditRow(input: Input, context: Context): Promise<number> {
  const [name = "", ...words] = input.operands;
  return withTable(context, name, async (open) => {
    const { text, item } = await fetchRow(open, words, context);
    // Kept until it is written: whatever happens, the work is not lost.
    const path = join(context.folders.state, "edits", `${open.table.name}-${Date.now()}.json`);
    await writeFileAtomically(path, text);
    try {
      const task = await editUntilRight(path, open, item, context);
      const code = await writeThroughGate(context, open, task);
      if (input.options["dryRun"] === true)
        context.terminal.note(`your edit is kept: lcops dyn upload-row ${printable(path)}`);
      else await rm(path, { force: true });
      return code;
    } catch (error) {
      if ((await readFile(path, "utf8").catch(() => text)) === text)
        await rm(path, { force: true });
      else
        context.terminal.warn(`lcops: your edit is kept: lcops dyn upload-row ${printable(path)}`);
      throw error;
    }
  });
}

async function editUntilRight(
  path: string,
  open: OpenTable,
  base: Item,
  context: Context,
): Promise<RowTask> {
  const { parseRowFile } = await import("../../services/dynamodb/row-file.ts");
  const { wishEdit } = await import("../../services/dynamodb/plan-row.ts");
  for (;;) {
    await openEditor(path, context);
    try {
      const { item } = parseRowFile(await readFile(path, "utf8"), path);
      return { ...wishEdit(open.table, base, item), verb: "write a row of" };
    } catch (error) {
      if (!(error instanceof OperatorError) || !context.terminal.canPrompt) throw error;
      context.terminal.warn(printable(describeError(error)));
      const { confirm } = await context.prompts();
      if (!(await confirm("Back to the editor?"))) throw error;
    }
  }
}

async function openEditor(path: string, context: Context): Promise<void> {
  const { runInForeground } = await import("../../system/program.ts");
  const { environment } = context;
  const wished = environment["VISUAL"] || environment["EDITOR"] || "vi";
  // As git and crontab take it, but without a shell: a program and its options.
  const [program = "vi", ...options] = wished.split(/\s+/).filter(Boolean);
  const childEnvironment = await context.childEnvironment();
  const code = await context.leaveSigintTo(() =>
    runInForeground(program, [...options, path], {
      environment: childEnvironment,
      signal: context.signal,
      ownGroup: !context.hasTerminal,
    }),
  );
  if (code !== 0) {
    throw new OperatorError("failed", `the editor ${program} ended with ${code}`, {
      next: "nothing was written",
    });
  }
}
