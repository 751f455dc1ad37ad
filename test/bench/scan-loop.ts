/** The peer of a dump: what one writes with the stock client. `scan-loop.ts SEGMENTS`; prints its items and milliseconds. */
import {
  DynamoDBClient,
  ScanCommand,
  type AttributeValue,
  type ScanCommandOutput,
} from "@aws-sdk/client-dynamodb";

const segments = Number(process.argv[2]);
const client = new DynamoDBClient({ region: "us-west-2" });
let items = 0;

async function scan(Segment: number): Promise<void> {
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({
        TableName: "patterns",
        Segment,
        TotalSegments: segments,
        ...(from && { ExclusiveStartKey: from }),
      }),
    );
    items += page.Items?.length ?? 0;
    from = page.LastEvaluatedKey;
  } while (from);
}

const began = performance.now();
await Promise.all(Array.from({ length: segments }, (_, segment) => scan(segment)));
process.stdout.write(JSON.stringify({ items, ms: performance.now() - began }));
