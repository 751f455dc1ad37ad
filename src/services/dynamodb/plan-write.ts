import {
  type AttributePath,
  isSame,
  type Item,
  itemToJson,
  canonicalItem,
  valueToJson,
} from "./attribute-value.ts";
import { OperatorError } from "../../system/errors.ts";
import { type AttributeChange, applyChange, lookUp } from "./diff-items.ts";
import { type ExactJson, writeExactJson } from "./exact-json.ts";

/** One conditional write, and how to tell that it has been made. */
export interface RowWrite {
  operation: "UpdateItem" | "PutItem" | "DeleteItem";
  /** The request. */
  body: string;
  /** Whether a row, as it is now, is what the write leaves. */
  hasLanded: (now: Item | undefined) => boolean;
}

/** DynamoDB Developer Guide, "Quotas", Expression parameters. */
const LONGEST_EXPRESSION_BYTES = 4096;
const MOST_OPERATORS = 300;

/** Gives each name and value of expressions a placeholder; names that are reserved words or hold dots are none then. */
function makePlaceholders() {
  const names = new Map<string, string>();
  const values = new Map<string, ExactJson>();
  return {
    path: (path: AttributePath): string =>
      path
        .map((name) => {
          const known = names.get(name) ?? `#n${names.size}`;
          names.set(name, known);
          return known;
        })
        .join("."),
    value: (value: Parameters<typeof valueToJson>[0]): string => {
      const placeholder = `:v${values.size}`;
      values.set(placeholder, valueToJson(value));
      return placeholder;
    },
    /** The members of the request. */
    members: (): [string, ExactJson][] => [
      [
        "ExpressionAttributeNames",
        new Map([...names].map(([name, placeholder]) => [placeholder, name])),
      ],
      ...(values.size > 0
        ? [["ExpressionAttributeValues", values] satisfies [string, ExactJson]]
        : []),
    ],
  };
}

/**
 * Given a row and the changes to make, return the smallest update that makes them all, on the condition that each attribute is
 * still what it was; others it neither reads nor writes. Where that is too long for an expression, whole attributes are written
 * instead of what is in them. Throws `failed` where that is too long as well. Pure.
 */
export function planUpdate(
  table: string,
  key: Item,
  changes: readonly AttributeChange[],
  now: Item,
): RowWrite {
  const write = tryUpdate(table, key, changes) ?? tryUpdate(table, key, widenChanges(changes, now));
  if (write) return write;
  throw new OperatorError(
    "failed",
    `${changes.length} changes are more than one update of DynamoDB can hold`,
    { next: "upload them in parts" },
  );
}

function tryUpdate(
  table: string,
  key: Item,
  changes: readonly AttributeChange[],
): RowWrite | undefined {
  const place = makePlaceholders();
  const [hash = ""] = key.keys();
  const set = changes.flatMap(({ path, after }) =>
    after ? `${place.path(path)} = ${place.value(after)}` : [],
  );
  const remove = changes.flatMap(({ path, after }) => (after ? [] : place.path(path)));
  const conditions = [
    `attribute_exists(${place.path([hash])})`,
    ...changes.map(({ path, before }) =>
      before
        ? `${place.path(path)} = ${place.value(before)}`
        : `attribute_not_exists(${place.path(path)})`,
    ),
  ];
  const update = [
    set.length > 0 ? `SET ${set.join(", ")}` : "",
    remove.length > 0 ? `REMOVE ${remove.join(", ")}` : "",
  ]
    .filter(Boolean)
    .join(" ");
  if (update.length > LONGEST_EXPRESSION_BYTES || isTooLong(conditions)) return undefined;
  return {
    operation: "UpdateItem",
    body: writeRequest(table, [
      ["Key", itemToJson(key)],
      ["UpdateExpression", update],
      ["ConditionExpression", joinConditions(conditions)],
      ...place.members(),
    ]),
    hasLanded: (found) =>
      found !== undefined && changes.every(({ path, after }) => isSame(lookUp(found, path), after)),
  };
}

const joinConditions = (conditions: readonly string[]): string => conditions.join(" AND ");

function isTooLong(conditions: readonly string[]): boolean {
  return (
    joinConditions(conditions).length > LONGEST_EXPRESSION_BYTES ||
    conditions.length * 2 > MOST_OPERATORS
  );
}

/** One change for each attribute of the row itself. */
function widenChanges(changes: readonly AttributeChange[], now: Item): AttributeChange[] {
  const changed = changes.reduce(applyChange, now);
  return [...new Set(changes.map(({ path }) => path[0] ?? ""))].map((name) => {
    const [before, after] = [now.get(name), changed.get(name)];
    return { path: [name], ...(before && { before }), ...(after && { after }) };
  });
}

/**
 * Given a row's key, what the row is and what it is to be, return the write of the whole row; absent `before`: only where there is
 * none, absent `after`: it is taken away. Each attribute must still be what it was; one that comes meanwhile is in no condition. Throws `failed`
 * where the row has more attributes than a condition can hold. Pure.
 */
export function planPut(
  table: string,
  key: Item,
  before: Item | undefined,
  after: Item | undefined,
): RowWrite {
  const place = makePlaceholders();
  const [hash = ""] = key.keys();
  const conditions = before
    ? [...before].map(([name, value]) => `${place.path([name])} = ${place.value(value)}`)
    : [`attribute_not_exists(${place.path([hash])})`];
  if (before && isTooLong(conditions)) {
    throw new OperatorError(
      "failed",
      `the row has ${before.size} attributes, and one condition of DynamoDB cannot hold them all`,
      {
        next: after
          ? "upload your edit in parts, without --replace"
          : "nothing was done; see that nobody else writes it, then take it away with aws dynamodb delete-item",
      },
    );
  }
  const wished = after && canonicalItem(after);
  return {
    operation: after ? "PutItem" : "DeleteItem",
    body: writeRequest(table, [
      after ? ["Item", itemToJson(after)] : ["Key", itemToJson(key)],
      ["ConditionExpression", joinConditions(conditions)],
      ...place.members(),
    ]),
    hasLanded: (found) => (found && canonicalItem(found)) === wished,
  };
}

function writeRequest(table: string, members: readonly [string, ExactJson][]): string {
  return writeExactJson(new Map<string, ExactJson>([["TableName", table], ...members]));
}
