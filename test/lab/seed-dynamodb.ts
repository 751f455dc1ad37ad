/** The tables of the estate: what the API's pattern aggregator has counted, as it was edited by hand. */
import { askDynamoDb } from "./ask-dynamodb.ts";
import type { DynamoPlace } from "./ask-dynamodb.ts";

const PATTERN_TABLE = "pattern-aggregator";
const PATTERN_ROWS = 240;

type Wire = Record<string, unknown>;

/** One row: a pattern of a school on one day. */
function makePattern(index: number): Record<string, Wire> {
  const day = new Date(Date.UTC(2014, 2, 1 + (index % 30))).toISOString().slice(0, 10);
  const school = 1 + (index % 8);
  return {
    pattern: { S: `school-${school}/lesson-${String(Math.floor(index / 8)).padStart(3, "0")}` },
    day: { S: day },
    hits: { N: String((index * 7919) % 1000) },
    // Past what a double holds: an id of the old store.
    source: { N: `90071992547409${String(93000 + index)}` },
    mean: { N: `0.${String(index * 104729).padStart(12, "0")}7` },
    levels: { SS: ["beginner", ...(index % 3 === 0 ? ["advanced"] : [])] },
    digest: { B: Buffer.from([index & 255, 0, 255, 128]).toString("base64") },
    isOpen: { BOOL: index % 2 === 0 },
    note: index % 5 === 0 ? { NULL: true } : { S: index % 7 === 0 ? "" : `Übung № ${index} 🎻` },
    counters: {
      M: {
        seen: { N: String(index * 3) },
        solved: { N: String(index) },
        byLevel: { L: [{ N: "1" }, { N: String(index % 4) }] },
      },
    },
  };
}

/** Takes where DynamoDB is; makes the table there and fills it. */
export async function seedDynamoDb(place: DynamoPlace): Promise<void> {
  await askDynamoDb(place, "CreateTable", {
    TableName: PATTERN_TABLE,
    KeySchema: [
      { AttributeName: "pattern", KeyType: "HASH" },
      { AttributeName: "day", KeyType: "RANGE" },
    ],
    AttributeDefinitions: [
      { AttributeName: "pattern", AttributeType: "S" },
      { AttributeName: "day", AttributeType: "S" },
      { AttributeName: "hits", AttributeType: "N" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-day",
        KeySchema: [
          { AttributeName: "day", KeyType: "HASH" },
          { AttributeName: "hits", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["mean"] },
        ProvisionedThroughput: { ReadCapacityUnits: 200, WriteCapacityUnits: 100 },
      },
    ],
    ProvisionedThroughput: { ReadCapacityUnits: 400, WriteCapacityUnits: 100 },
  });
  const rows = Array.from({ length: PATTERN_ROWS }, (_, index) => makePattern(index));
  for (let at = 0; at < rows.length; at += 25) {
    await askDynamoDb(place, "BatchWriteItem", {
      RequestItems: {
        [PATTERN_TABLE]: rows.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } })),
      },
    });
  }
}
