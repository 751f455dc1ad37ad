import { AttributeError, canonicalItem, type Item } from "./attribute-value.ts";
import type { Table } from "./describe-table.ts";
import {
  type AttributeChange,
  type AttributeConflict,
  diffItems,
  lookUp,
  mergeChanges,
} from "./diff-items.ts";
import { planPut, planUpdate, type RowWrite } from "./plan-write.ts";
import { keyOf } from "./row-key.ts";
import { validateItem } from "./validate-item.ts";
import { OperatorError } from "../../system/errors.ts";

/** What is wished of a row: some of its attributes changed, or the whole of it to be something else. */
export type RowWish =
  | { kind: "changes"; changes: readonly AttributeChange[] }
  /** Absent `before`: it must not be there yet; absent `after`: it is to be taken away. */
  | { kind: "whole"; before?: Item; after?: Item };

/** What comes of a wish, the row being what it is now. */
export type RowPlan =
  | { kind: "nothing" }
  | { kind: "conflict"; conflicts: readonly AttributeConflict[] }
  | { kind: "write"; changes: readonly AttributeChange[]; write: RowWrite };

const EMPTY: Item = new Map();

/** Given a table, a row's key, a wish and what the row is now, return what is to be written, or what stands in the way. Pure. */
export function planRow(
  table: Pick<Table, "name">,
  key: Item,
  wish: RowWish,
  now: Item | undefined,
): RowPlan {
  if (wish.kind === "changes") {
    if (!now) return { kind: "conflict", conflicts: wish.changes };
    const { changes, conflicts } = mergeChanges(wish.changes, now);
    if (conflicts.length > 0) return { kind: "conflict", conflicts };
    if (changes.length === 0) return { kind: "nothing" };
    return { kind: "write", changes, write: planUpdate(table.name, key, changes, now) };
  }
  const { before, after } = wish;
  const canonical = (item: Item | undefined) => item && canonicalItem(item);
  if (canonical(now) === canonical(after)) return { kind: "nothing" };
  if (canonical(now) !== canonical(before)) {
    const conflicts = diffItems(before ?? EMPTY, now ?? EMPTY).map(
      ({ path, before: was, after: found }) => {
        const wished = lookUp(after ?? EMPTY, path);
        return {
          path,
          ...(was && { before: was }),
          ...(wished && { after: wished }),
          ...(found && { now: found }),
        };
      },
    );
    return { kind: "conflict", conflicts };
  }
  return {
    kind: "write",
    changes: diffItems(before ?? EMPTY, after ?? EMPTY),
    write: planPut(table.name, key, before, after),
  };
}

/**
 * Given an edited row and what it was, return what is wished of it. Throws `usage` where the edited row is none that the table can
 * hold, or has another key. Pure.
 */
export function wishEdit(table: Table, base: Item, mine: Item): { key: Item; wish: RowWish } {
  const key = checkRow(table, mine);
  const was = keyOf(base, table);
  if (!was || canonicalItem(was) !== canonicalItem(key)) {
    throw new OperatorError("usage", "the key was edited, and a row cannot change its key", {
      next: "write it as a row of its own with --create, or give it its key back",
    });
  }
  return { key, wish: { kind: "changes", changes: diffItems(base, mine) } };
}

/** Given a row, return its key. Throws `usage` where the table cannot hold it. Pure. */
export function checkRow(table: Table, row: Item): Item {
  try {
    validateItem(row, table);
  } catch (error) {
    if (!(error instanceof AttributeError)) throw error;
    throw new OperatorError("usage", `${table.name} cannot hold that row: ${error.message}`, {
      next: "correct it, then upload it again",
      cause: error,
    });
  }
  return keyOf(row, table) ?? EMPTY;
}
