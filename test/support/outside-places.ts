/** Where something belongs to the rows of a database: a bucket, a DynamoDB table and an index of the lab that all tests share, under one name. */
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { askDynamoDb } from "../lab/ask-dynamodb.ts";
import type { LabDescription } from "../lab/lab.ts";

export type OutsideName = "objects" | "items" | "search";

interface OutsidePlace {
  /** Given an id, and of an object its content, of a document when it was changed. */
  put(id: string, version?: string): Promise<void>;
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Given the lab and a name that nobody else uses, return those of the three that the lab has; each is empty. */
export async function openOutsidePlaces(
  lab: LabDescription,
  name: string,
): Promise<Partial<Record<OutsideName, OutsidePlace>>> {
  const node = lab.services.elasticsearch;
  return {
    ...(lab.s3 && { objects: openObjects(lab.s3, name) }),
    ...(lab.aws && { items: await openItems(lab.aws.dynamodbUrl, name) }),
    ...(node?.node && { search: await openSearch(`http://${node.address}:${node.port}`, name) }),
  };
}

function openObjects(s3: NonNullable<LabDescription["s3"]>, name: string): OutsidePlace {
  const client = new S3Client({
    region: s3.region,
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: s3.account,
  });
  const at = (id: string) => ({ Bucket: s3.bucket, Key: `${name}/${id}` });
  return {
    put: async (id, content = "") =>
      void (await client.send(new PutObjectCommand({ ...at(id), Body: content }))),
    remove: async (id) => void (await client.send(new DeleteObjectCommand(at(id)))),
    close: () => Promise.resolve(client.destroy()),
  };
}

async function openItems(endpointUrl: string, name: string): Promise<OutsidePlace> {
  const place = { endpointUrl, region: "us-west-2" };
  await askDynamoDb(place, "CreateTable", {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  });
  const of = (id: string) => ({ id: { S: id } });
  return {
    put: (id) => askDynamoDb(place, "PutItem", { TableName: name, Item: of(id) }),
    remove: (id) => askDynamoDb(place, "DeleteItem", { TableName: name, Key: of(id) }),
    close: () => askDynamoDb(place, "DeleteTable", { TableName: name }),
  };
}

async function openSearch(url: string, name: string): Promise<OutsidePlace> {
  const ask = async (method: string, path: string, body?: object): Promise<void> => {
    const response = await fetch(`${url}/${name}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
  };
  await ask("PUT", "", { settings: { number_of_shards: 2, number_of_replicas: 0 } });
  return {
    put: (id, version = "") => ask("PUT", `/_doc/${id}?refresh=true`, { updated_at: version }),
    remove: (id) => ask("DELETE", `/_doc/${id}?refresh=true`),
    close: () => ask("DELETE", ""),
  };
}
