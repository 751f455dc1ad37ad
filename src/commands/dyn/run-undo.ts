import type { RowUndo } from "../../services/dynamodb/row-undo.ts";
import { OperatorError } from "../../system/errors.ts";
import type { JournalEntry } from "../../system/journal.ts";
import type { Context, Input } from "../command.ts";
import { withOrigin } from "./open-table.ts";
import { writeThroughGate } from "./write-through-gate.ts";

/** Given what was typed, do what `lcops dyn undo` says and return the exit code. */
export async function runUndo(input: Input, context: Context): Promise<number> {
  const { readJournal } = await import("../../system/journal.ts");
  const { wishUndo } = await import("../../services/dynamodb/row-undo.ts");
  const entry = findEntry(await readJournal(context.folders.state), input.operands[0]);
  const undo = entry.undo as unknown as RowUndo;
  return withOrigin(context, undo, (open) =>
    writeThroughGate(context, open, {
      ...wishUndo(undo),
      verb: `undo ${entry.id} in`,
    }),
  );
}

/** Returns the change of a row that is undone: the last one, or that of the id. Throws `refused` for one that was never made, `usage` where there is none. Pure. */
export function findEntry(entries: readonly JournalEntry[], id: string | undefined): JournalEntry {
  const ofRows = entries.filter(({ undo }) => undo?.kind === "dynamodb");
  const found =
    id === undefined
      ? ofRows.findLast(({ outcome }) => outcome?.state !== "failed")
      : ofRows.find((entry) => entry.id === id);
  if (found?.outcome?.state === "failed")
    throw new OperatorError("refused", `the change ${found.id} was never made`, {
      next: "see lcops history for those that were",
    });
  if (found) return found;
  throw new OperatorError(
    "usage",
    id === undefined
      ? "no row was changed with lcops yet"
      : `the journal has no change ${id} of a row`,
    { next: "see lcops history" },
  );
}
