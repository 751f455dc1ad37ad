/** A DynamoDB that does as a test says, call by call: alone, or in front of one that knows better. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export type Call = {
  operation: string;
  /** The request as it came, and what it says. */
  body: string;
  request: Record<string, unknown>;
  /** How many of that operation came before. */
  index: number;
  /** What the one behind says to it. */
  forward: () => Promise<Reply>;
};

export type Reply = {
  status?: number;
  body: string | object;
  headers?: Record<string, string>;
  /** Promises more than it sends, and hangs up; with `0` nothing at all. */
  cutAfterBytes?: number;
  delayMs?: number;
};

export type ScriptedDynamoDb = {
  url: string;
  calls: Pick<Call, "operation" | "request" | "body">[];
  count: (operation: string) => number;
  close: () => Promise<void>;
};

/** Words with which the service refuses. */
export const refusal = (name: string, message = "no"): Reply => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message },
});

/** Takes what answers each call, and the address of the one behind; starts on a free port of 127.0.0.1. */
export async function startScriptedDynamoDb(
  answer: (call: Call) => Reply | Promise<Reply>,
  behind?: string,
): Promise<ScriptedDynamoDb> {
  const calls: ScriptedDynamoDb["calls"] = [];
  const count = (operation: string): number =>
    calls.filter((call) => call.operation === operation).length;
  const server = createServer((incoming, response) => {
    const serve = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
      const request = JSON.parse(body) as Record<string, unknown>;
      const forward = async (): Promise<Reply> => {
        if (behind === undefined) throw new Error("nobody stands behind");
        const { "x-amz-target": target, authorization, "x-amz-date": date } = incoming.headers;
        const asked = await fetch(behind, {
          method: "POST",
          headers: {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": String(target),
            Authorization: String(authorization),
            "X-Amz-Date": String(date),
          },
          body,
        });
        return { status: asked.status, body: await asked.text() };
      };
      const call = { operation, body, request, index: count(operation), forward };
      calls.push({ operation, body, request });
      const reply = await answer(call);
      if (reply.delayMs !== undefined) await wait(reply.delayMs, undefined, { ref: false });
      const bytes = Buffer.from(
        typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body),
      );
      if (reply.cutAfterBytes === 0) {
        response.destroy();
        return;
      }
      response.writeHead(reply.status ?? 200, {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": String(bytes.length),
        ...reply.headers,
      });
      if (reply.cutAfterBytes === undefined) response.end(bytes);
      else response.write(bytes.subarray(0, reply.cutAfterBytes), () => response.destroy());
    };
    serve().catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    count,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Takes a name, how many items, pages of a segment and their size; returns what answers DescribeTable and Scan of such a table. */
export function scriptTable(options: {
  name: string;
  items: number;
  itemsByPage: number;
  provisionedRead?: number;
  padBytes?: number;
}): (call: Call) => Reply {
  const { name, items, itemsByPage, provisionedRead, padBytes = 0 } = options;
  const pad = "x".repeat(padBytes);
  const item = (index: number): object => ({
    id: { S: `row-${String(index).padStart(7, "0")}` },
    n: { N: `${index}.00000000000000000000000000001` },
    pad: { S: pad },
  });
  return ({ operation, request }) => {
    if (operation === "DescribeTable") {
      return {
        body: {
          Table: {
            TableName: name,
            TableArn: `arn:aws:dynamodb:us-west-2:111111111111:table/${name}`,
            TableStatus: "ACTIVE",
            CreationDateTime: 1_400_000_000.5,
            KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
            AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
            ItemCount: items,
            TableSizeBytes: items * (60 + padBytes),
            ...(provisionedRead === undefined
              ? { BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" } }
              : {
                  ProvisionedThroughput: {
                    ReadCapacityUnits: provisionedRead,
                    WriteCapacityUnits: 1,
                  },
                }),
          },
        },
      };
    }
    if (operation !== "Scan") return refusal("UnknownOperationException");
    const { Segment = 0, TotalSegments = 1 } = request as Record<string, number>;
    const from = request["ExclusiveStartKey"] as { id: { S: string } } | undefined;
    const all = Array.from({ length: items }, (_, index) => index).filter(
      (index) => index % TotalSegments === Segment,
    );
    const begin = from ? all.indexOf(Number(from.id.S.slice(4))) + 1 : 0;
    const limit = Math.min(itemsByPage, (request["Limit"] as number | undefined) ?? itemsByPage);
    const taken = all.slice(begin, begin + limit);
    const last = taken.at(-1);
    const hasMore = last !== undefined && begin + limit < all.length;
    return {
      body: {
        Count: taken.length,
        Items: taken.map(item),
        ScannedCount: taken.length,
        ...(hasMore && { LastEvaluatedKey: { id: { S: `row-${String(last).padStart(7, "0")}` } } }),
        ConsumedCapacity: { TableName: name, CapacityUnits: taken.length / 2 },
      },
    };
  };
}
