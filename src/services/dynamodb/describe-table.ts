import { describeScope } from "../../aws/aws-scope.ts";
import { askPages } from "../../system/guard-pages.ts";
import { askPatiently } from "./ask-patiently.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import type { KeyAttribute } from "./validate-item.ts";

/** A table, as far as lcops needs to know it. */
export interface Table {
  name: string;
  arn: string;
  status: string;
  /** Seconds since 1970; a table that was made anew has another. */
  createdAt: number;
  /** Hash first, then range where there is one. */
  key: readonly KeyAttribute[];
  /** Both as of up to six hours ago. */
  items: number;
  bytes: number;
  /** Absent: on demand. */
  provisioned?: { read: number; write: number };
  indexes: readonly TableIndex[];
  /** Other regions that hold it. */
  replicas: readonly string[];
}

export interface TableIndex {
  name: string;
  kind: "local" | "global";
  key: readonly KeyAttribute[];
  /** Names that are projected beside the keys; `all` of them. */
  projected: "all" | readonly string[];
}

interface Described {
  TableName: string;
  TableArn?: string;
  TableStatus?: string;
  CreationDateTime?: number;
  KeySchema: { AttributeName: string; KeyType: string }[];
  AttributeDefinitions: { AttributeName: string; AttributeType: "S" | "N" | "B" }[];
  ItemCount?: number;
  TableSizeBytes?: number;
  BillingModeSummary?: { BillingMode?: string };
  ProvisionedThroughput?: { ReadCapacityUnits?: number; WriteCapacityUnits?: number };
  LocalSecondaryIndexes?: DescribedIndex[];
  GlobalSecondaryIndexes?: DescribedIndex[];
  Replicas?: { RegionName?: string }[];
}

interface DescribedIndex {
  IndexName: string;
  KeySchema: Described["KeySchema"];
  Projection?: { ProjectionType?: string; NonKeyAttributes?: string[] };
}

/** Given the name of a table, return it. Throws `usage` where there is none. */
export async function describeTable(dynamoDb: DynamoDb, name: string): Promise<Table> {
  const body = JSON.stringify({ TableName: name });
  const answer = await askPatiently(dynamoDb, "DescribeTable", { table: name, body });
  return readDescription((JSON.parse(answer.toString()) as { Table: Described }).Table);
}

function readDescription(table: Described): Table {
  const typeOf = new Map(
    table.AttributeDefinitions.map((each) => [each.AttributeName, each.AttributeType]),
  );
  const readKey = (schema: Described["KeySchema"]): KeyAttribute[] =>
    schema
      .toSorted((left, right) => left.KeyType.localeCompare(right.KeyType))
      .map(({ AttributeName: name }) => ({ name, type: typeOf.get(name) ?? "S" }));
  const readIndex =
    (kind: TableIndex["kind"]) =>
    ({ IndexName, KeySchema, Projection }: DescribedIndex): TableIndex => ({
      name: IndexName,
      kind,
      key: readKey(KeySchema),
      projected:
        Projection?.ProjectionType === "ALL" ? "all" : (Projection?.NonKeyAttributes ?? []),
    });
  const { ReadCapacityUnits: read = 0, WriteCapacityUnits: write = 0 } =
    table.ProvisionedThroughput ?? {};
  const isOnDemand = table.BillingModeSummary?.BillingMode === "PAY_PER_REQUEST" || read === 0;
  return {
    name: table.TableName,
    arn: table.TableArn ?? "",
    status: table.TableStatus ?? "",
    createdAt: table.CreationDateTime ?? 0,
    key: readKey(table.KeySchema),
    items: table.ItemCount ?? 0,
    bytes: table.TableSizeBytes ?? 0,
    ...(!isOnDemand && { provisioned: { read, write } }),
    indexes: [
      ...(table.LocalSecondaryIndexes ?? []).map(readIndex("local")),
      ...(table.GlobalSecondaryIndexes ?? []).map(readIndex("global")),
    ],
    replicas: (table.Replicas ?? []).flatMap(({ RegionName }) => RegionName ?? []),
  };
}

/** Return the names of all tables of the account and region. */
export async function listTables(dynamoDb: DynamoDb): Promise<string[]> {
  const names: string[] = [];
  const pages = askPages(
    async (from: string | undefined) => {
      const body = JSON.stringify(from === undefined ? {} : { ExclusiveStartTableName: from });
      const answer = await askPatiently(dynamoDb, "ListTables", { table: "the tables", body });
      return JSON.parse(answer.toString()) as {
        TableNames?: string[];
        LastEvaluatedTableName?: string;
      };
    },
    ({ LastEvaluatedTableName }) => LastEvaluatedTableName,
    `dynamodb:ListTables in ${describeScope(dynamoDb.scope)}`,
  );
  for await (const page of pages) names.push(...(page.TableNames ?? []));
  return names;
}
