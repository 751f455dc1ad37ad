import { type AttributeValue, describePath } from "../../services/dynamodb/attribute-value.ts";
import type { AttributeChange, AttributeConflict } from "../../services/dynamodb/diff-items.ts";
import { writeExactJson } from "../../services/dynamodb/exact-json.ts";
import { valueToPlain } from "../../services/dynamodb/plain-item.ts";

const LONGEST = 70;

/** Given a value or none, return it in short, with its type; numbers whole. Pure. */
function describeValue(value: AttributeValue | undefined): string {
  if (!value) return "nothing";
  const text = writeExactJson(valueToPlain(value));
  const isWhole = text.length <= LONGEST || value.type === "N";
  return `${value.type} ${isWhole ? text : `${text.slice(0, LONGEST - 1)}…`}`;
}

/** Given a change, return its line: `counters.seen: N 5 → N 6`. Not yet printable. Pure. */
export function describeAttributeChange({ path, before, after }: AttributeChange): string {
  const isOtherType = before && after && before.type !== after.type;
  return `${describePath(path)}: ${describeValue(before)} → ${describeValue(after)}${isOtherType ? " (another type)" : ""}`;
}

/** Given a conflict, return its lines: what it was, what it is now, what was wished. Pure. */
export function describeConflict({ path, before, after, now }: AttributeConflict): string[] {
  return [
    describePath(path),
    `  was   ${describeValue(before)}`,
    `  is    ${describeValue(now)}`,
    `  yours ${describeValue(after)}`,
  ];
}
