import { OperatorError } from "../../system/errors.ts";
import { type Item, itemToJson, readItem, readValue, valueToJson } from "./attribute-value.ts";
import { parseExactJson, writeExactJson } from "./exact-json.ts";
import type { RowWish } from "./plan-row.ts";

/** What the journal keeps of a row that was changed; items and values are DynamoDB JSON in texts, so that nothing is lost. */
export interface RowUndo {
  kind: "dynamodb";
  account: string;
  region: string;
  endpoint?: string;
  table: string;
  arn: string;
  key: string;
  changes?: readonly { path: readonly string[]; before?: string; after?: string }[];
  whole?: { before?: string; after?: string };
  [more: string]: unknown;
}

const writeItem = (item: Item): string => writeExactJson(itemToJson(item));
const parseItem = (text: string): Item => readItem(parseExactJson(text));

/** Given what is written, and where, return what the journal keeps of it. Pure. */
export function recordWish(
  place: Pick<RowUndo, "account" | "region" | "endpoint" | "table" | "arn">,
  key: Item,
  wish: RowWish,
): RowUndo {
  const written = { kind: "dynamodb" as const, ...place, key: writeItem(key) };
  if (wish.kind === "whole") {
    const { before, after } = wish;
    return {
      ...written,
      whole: {
        ...(before && { before: writeItem(before) }),
        ...(after && { after: writeItem(after) }),
      },
    };
  }
  return {
    ...written,
    changes: wish.changes.map(({ path, before, after }) => ({
      path,
      ...(before && { before: writeExactJson(valueToJson(before)) }),
      ...(after && { after: writeExactJson(valueToJson(after)) }),
    })),
  };
}

/** Given what the journal has kept, return the key of the row and the wish that undoes it. Throws `failed` where it is not of a row. Pure. */
export function wishUndo(undo: RowUndo): { key: Item; wish: RowWish } {
  const key = parseItem(undo.key);
  if (undo.changes) {
    const changes = undo.changes.map(({ path, before, after }) => ({
      path,
      ...(after !== undefined && { before: readValue(parseExactJson(after), path) }),
      ...(before !== undefined && { after: readValue(parseExactJson(before), path) }),
    }));
    return { key, wish: { kind: "changes", changes } };
  }
  if (!undo.whole) throw new OperatorError("failed", "the journal does not say what was changed");
  const { before, after } = undo.whole;
  return {
    key,
    wish: {
      kind: "whole",
      ...(after !== undefined && { before: parseItem(after) }),
      ...(before !== undefined && { after: parseItem(before) }),
    },
  };
}
