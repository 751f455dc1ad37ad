/** Recorded pages of a table, in a process of its own: `serve-pages.ts ITEMS LATENCY_MS`; prints its address and serves until stdin ends. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { ITEM_BYTES, ITEMS_BY_PAGE, makeItem } from "./recorded-items.ts";

/** So many bodies are made; pages beyond them have the items of others. */
const RECORDED = 24;

const items = Number(process.argv[2]);
const latencyMs = Number(process.argv[3]);

interface Recorded {
  bytes: Buffer;
  crc: number;
  count: number;
}

function record(first: number, count: number): Recorded {
  const list = Array.from({ length: count }, (_, index) => makeItem(first + index));
  const bytes = Buffer.from(
    `{"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"patterns"},"Count":${count},"Items":[${list.join(",")}]`,
  );
  return { bytes, crc: crc32(bytes), count };
}

const whole = Array.from({ length: RECORDED }, (_, index) =>
  record(index * ITEMS_BY_PAGE, ITEMS_BY_PAGE),
);
const rest = new Map<number, Recorded>();

/** A page, and how many items of its segment are left behind it. */
function pageOf(segment: number, segments: number, page: number): { page: Recorded; left: number } {
  const share = Math.floor(items / segments) + (segment < items % segments ? 1 : 0);
  const left = share - page * ITEMS_BY_PAGE;
  if (left >= ITEMS_BY_PAGE) {
    const found = whole[(segment * 7 + page) % RECORDED] as Recorded;
    return { page: found, left: left - ITEMS_BY_PAGE };
  }
  const found = rest.get(left) ?? record(0, left);
  rest.set(left, found);
  return { page: found, left: 0 };
}

const description = {
  Table: {
    TableName: "patterns",
    TableArn: "arn:aws:dynamodb:us-west-2:123456789012:table/patterns",
    TableStatus: "ACTIVE",
    KeySchema: [{ AttributeName: "pattern", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pattern", AttributeType: "S" }],
    BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
    ItemCount: items,
    TableSizeBytes: items * ITEM_BYTES,
  },
};
const identity =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

const server = createServer((incoming, response) => {
  const serve = async (): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const operation = String(incoming.headers["x-amz-target"] ?? "").split(".")[1];
    if (operation === undefined) {
      response.writeHead(200, { "Content-Type": "text/xml" }).end(identity);
      return;
    }
    const json = { "Content-Type": "application/x-amz-json-1.0" };
    if (operation === "DescribeTable") {
      response.writeHead(200, json).end(JSON.stringify(description));
      return;
    }
    const request = JSON.parse(Buffer.concat(chunks).toString()) as {
      Segment?: number;
      TotalSegments?: number;
      ExclusiveStartKey?: { pattern: { S: string } };
    };
    const { Segment: segment = 0, TotalSegments: segments = 1 } = request;
    const number = Number(request.ExclusiveStartKey?.pattern.S ?? 0);
    const { page, left } = pageOf(segment, segments, number);
    const end = Buffer.from(
      left > 0
        ? `,"LastEvaluatedKey":{"pattern":{"S":"${number + 1}"}},"ScannedCount":${page.count}}`
        : `,"ScannedCount":${page.count}}`,
    );
    if (latencyMs > 0) await wait(latencyMs);
    response.writeHead(200, {
      ...json,
      "Content-Length": page.bytes.length + end.length,
      "x-amz-crc32": String(crc32(end, page.crc)),
    });
    response.write(page.bytes);
    response.end(end);
  };
  serve().catch(() => response.destroy());
});
server.listen({ host: "127.0.0.1", port: 0 }, () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once("end", () => {
  server.closeAllConnections();
  server.close();
});
