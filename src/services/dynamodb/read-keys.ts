import { OperatorError } from "../../system/errors.ts";
import { keyOf } from "./row-key.ts";
import { type Item, readItem } from "./attribute-value.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import { describeTable, type Table } from "./describe-table.ts";
import { parseExactJson } from "./exact-json.ts";
import { makePacer } from "./make-pacer.ts";
import { planReadUnits, planPageLimit } from "./plan-dump.ts";
import { readRow } from "./read-row.ts";
import { planSegments, scanTable } from "./scan-table.ts";
import { listItems } from "./split-page.ts";

/** The keys of a table's items, each as the texts of its parts. */
export interface KeyReader {
  list(take: (key: string[]) => void): Promise<void>;
  /** Given the texts of a row, return them as `list` has those of its item: a number in its shortest form. */
  textsOf(values: readonly string[]): string[];
  /** Whether there is such an item now, strongly consistent. */
  has(key: readonly string[]): Promise<boolean>;
}

/**
 * Given DynamoDB, the name of a table and of how many parts its key should be, return what reads its keys: by a scan that takes no more of a provisioned table than
 * a dump does. Throws `configuration` where it is of another number, or binary.
 */
export async function openKeys(
  dynamoDb: DynamoDb,
  name: string,
  parts: number,
): Promise<KeyReader> {
  const table = await describeTable(dynamoDb, name);
  if (table.key.length !== parts)
    throw new OperatorError(
      "configuration",
      `the key of ${name} is ${table.key.map((part) => part.name).join(" and ")}`,
      { next: "name a column for each" },
    );
  const binary = table.key.find(({ type }) => type === "B");
  if (binary)
    throw new OperatorError("configuration", `${binary.name}, of the key of ${name}, is binary`, {
      next: "only keys of texts and numbers are compared with rows",
    });
  const units = planReadUnits(undefined, table);
  const limit = planPageLimit(units, table);
  return {
    list: (take) =>
      scanTable(dynamoDb, {
        table: name,
        segments: planSegments(table),
        pacer: makePacer(units),
        ...(limit !== undefined && { limit }),
        onPage: async (page, segment) => {
          for (const json of listItems(page)) {
            const key = keyOf(readItem(parseExactJson(json)), table);
            if (key)
              take(
                textsOf(
                  table,
                  [...key.values()].map(({ value }) => value as string),
                ),
              );
          }
          if (page.lastKey === undefined) segment.isDone = true;
          else segment.lastKey = page.lastKey;
        },
      }),
    textsOf: (values) => textsOf(table, values),
    has: async (key) => (await readRow(dynamoDb, name, toKey(table, key))) !== undefined,
  };
}

const textsOf = (table: Table, values: readonly string[]): string[] =>
  values.map((value, index) => (table.key[index]?.type === "N" ? shortest(value) : value));

/** A number is written in many ways: a row may have 1.50, or 007. */
function shortest(text: string): string {
  const [, sign, whole, fraction = ""] = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const digits = fraction === "" ? whole : `${whole}.${fraction}`;
  return digits === "0" ? digits : `${sign}${digits}`;
}

function toKey(table: Table, key: readonly string[]): Item {
  return new Map(
    table.key.map(({ name, type }, index) => [name, { type, value: key[index] ?? "" }]),
  );
}
