import { askPatiently } from "./ask-patiently.ts";
import { type Item, itemToJson, readItem } from "./attribute-value.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import { type ExactJson, parseExactJson, writeExactJson } from "./exact-json.ts";

/** Given the name of a table and a row's key, return the row as it is now, strongly consistent; undefined where there is none. */
export async function readRow(
  dynamoDb: DynamoDb,
  table: string,
  key: Item,
): Promise<Item | undefined> {
  const body = writeExactJson(
    new Map<string, ExactJson>([
      ["TableName", table],
      ["Key", itemToJson(key)],
      ["ConsistentRead", true],
    ]),
  );
  return askPatiently(dynamoDb, "GetItem", { table, body, read: readAnswer });
}

function readAnswer(bytes: Buffer): Item | undefined {
  const answer = parseExactJson(bytes.toString());
  const item = answer instanceof Map ? answer.get("Item") : undefined;
  return item === undefined || item === null ? undefined : readItem(item);
}
