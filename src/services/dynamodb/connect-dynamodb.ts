import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { AwsScope } from "../../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../../aws/client-options.ts";
import type { PagePool } from "./page-pool.ts";
import { type Answer, readBody } from "./read-body.ts";

const COMMANDS = {
  BatchWriteItem: BatchWriteItemCommand,
  DeleteItem: DeleteItemCommand,
  DescribeTable: DescribeTableCommand,
  GetItem: GetItemCommand,
  ListTables: ListTablesCommand,
  PutItem: PutItemCommand,
  Scan: ScanCommand,
  UpdateItem: UpdateItemCommand,
};

export type Operation = keyof typeof COMMANDS;

/** DynamoDB of one account and region. */
export interface DynamoDb {
  scope: AwsScope;
  signal: AbortSignal;
  /**
   * Given an operation and its request as JSON, return the answer's bytes as the service sent them. It asks once; what it throws
   * is for `explainDynamoDbError`. A body that is cut, or not that of its checksum, is an error of the network. With a pool the bytes are in its memory.
   */
  ask(operation: Operation, request: string, pool?: PagePool): Promise<Buffer>;
  /** Where it was asked last, where that is not AWS itself; undefined before the first question. */
  endpoint(): string | undefined;
  close(): void;
}

/** Bytes are exchanged as they are: the SDK's own decoding loses digits and names, and costs most of a scan's time. */
export async function connectDynamoDb(scope: AwsScope, access: AwsAccess): Promise<DynamoDb> {
  const client = new DynamoDBClient({
    ...(await clientOptions(scope, "DYNAMODB", access)),
    // One attempt: whether to try again, and when, is decided with the pace.
    retryMode: "standard",
    maxAttempts: 1,
  });
  let asked: string | undefined;
  return {
    scope,
    signal: access.signal,
    ask: async (operation, request, pool) => {
      let answer: Buffer = Buffer.alloc(0);
      const make = COMMANDS[operation] as unknown as typeof GetItemCommand;
      // What it asks for stands in the bytes below.
      const command = new make({ TableName: "any", Key: {} });
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { body: unknown }).body = request;
          return next(args);
        },
        { step: "serialize", priority: "low", name: "sendBytes" },
      );
      command.middlewareStack.add(
        (next) => async (args) => {
          const { protocol, hostname, port } = args.request as Record<string, string>;
          asked = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
          const result = await next(args);
          const response = result.response as Answer;
          if (response.statusCode < 300) {
            answer = await readBody(response, pool);
            (result.response as { body: unknown }).body = Buffer.from("{}");
          }
          return result;
        },
        { step: "deserialize", priority: "low", name: "keepBytes" },
      );
      await client.send(command, { abortSignal: access.signal });
      return answer;
    },
    endpoint: () => (asked && !AMAZON.test(asked) ? asked : undefined),
    close: () => client.destroy(),
  };
}

const AMAZON = /\.(amazonaws\.com(\.cn)?|api\.aws)(:\d+)?$/;
