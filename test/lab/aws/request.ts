/** Reading a request to AWS: which service and region it is signed for, and what it asks. */
import type { IncomingMessage } from "node:http";

export type AwsRequest = {
  service: string;
  action: string;
  region: string;
  accessKeyId: string;
  /** Form fields of the query protocols, flat; empty for a JSON service. */
  fields: Record<string, string>;
  /** The JSON body; the fields again for a query protocol. */
  params: Record<string, unknown>;
  protocol: "ec2" | "query" | "json";
  headers: IncomingMessage["headers"];
};

const CREDENTIAL = /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/([^/,\s]+)\/aws4_request/;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function readParams(body: string): Record<string, unknown> {
  try {
    return (body === "" ? {} : JSON.parse(body)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Takes a request; returns what it asks, or undefined when it is not signed. */
export async function readRequest(request: IncomingMessage): Promise<AwsRequest | undefined> {
  const [body, signed] = [
    await readBody(request),
    CREDENTIAL.exec(request.headers.authorization ?? ""),
  ];
  if (!signed) return undefined;
  const [, accessKeyId = "", region = "", service = ""] = signed;
  const common = { service, region, accessKeyId, headers: request.headers };
  const target = request.headers["x-amz-target"];
  if (typeof target === "string")
    return {
      ...common,
      protocol: "json",
      action: target.split(".").at(-1) ?? "",
      fields: {},
      params: readParams(body),
    };
  const fields = new URLSearchParams(body);
  for (const [name, value] of new URL(request.url ?? "/", "http://aws").searchParams)
    fields.append(name, value);
  return {
    ...common,
    protocol: service === "ec2" ? "ec2" : "query",
    action: fields.get("Action") ?? "",
    fields: Object.fromEntries(fields),
    params: Object.fromEntries(fields),
  };
}

/** Takes fields of the query protocol and a list's name (`InstanceId`); returns its values in order. */
export function readList(fields: Record<string, string>, name: string): string[] {
  return Object.entries(fields)
    .filter(([key]) => key.startsWith(`${name}.`) && /^\d+$/.test(key.slice(name.length + 1)))
    .toSorted(([a], [b]) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    .map(([, value]) => value);
}
