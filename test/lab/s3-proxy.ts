/** A door before the lab's S3 that does as a test says, call by call, and lets all else through; what signs a request has signed the door's name. */
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type ProxiedOperation =
  | "ListObjectsV2"
  | "ListMultipartUploads"
  | "GetBucketVersioning"
  | "GetObjectTagging"
  | "GetObject"
  | "HeadObject"
  | "PutObject"
  | "CopyObject"
  | "UploadPart"
  | "UploadPartCopy"
  | "CreateMultipartUpload"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload"
  | "DeleteObject"
  | "GetCallerIdentity"
  | "other";

export interface ProxiedCall {
  operation: ProxiedOperation;
  bucket: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  /** How many of that operation came before. */
  index: number;
  /** What the server behind it answers. */
  forward: () => Promise<ProxiedReply>;
}

export interface ProxiedReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** Promises more than it sends, and hangs up; with `0` nothing at all. */
  cutAfterBytes?: number;
}

export interface S3Proxy {
  url: string;
  calls: Pick<ProxiedCall, "operation" | "bucket" | "key" | "headers" | "query">[];
  /** The most calls that were ever under way at once since the script was set. */
  busiest: () => number;
  count: (operation: ProxiedOperation) => number;
  /** What answers from now on; absent: the server behind it does. */
  script: (answer?: (call: ProxiedCall) => Promise<ProxiedReply>) => void;
  close: () => Promise<void>;
}

/** How S3 words a refusal (Amazon S3 API reference, error responses). */
export const refuseCall = (status: number, code: string): ProxiedReply => ({
  status,
  headers: { "Content-Type": "application/xml" },
  body: Buffer.from(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
  ),
});

/** An answer in XML. */
export const answerXml = (text: string): ProxiedReply => ({
  status: 200,
  headers: { "Content-Type": "application/xml" },
  body: Buffer.from(`<?xml version="1.0"?>${text}`),
});

const whoIsAsking = (): Promise<ProxiedReply> =>
  Promise.resolve(
    answerXml(
      "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/lab</Arn><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
    ),
  );

/** Takes where the lab's S3 answers; starts on a free port of 127.0.0.1. It answers STS too. */
export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const calls: S3Proxy["calls"] = [];
  let answer = (call: ProxiedCall): Promise<ProxiedReply> => call.forward();
  let busy = 0;
  let busiest = 0;
  const server = createServer((incoming, response) => {
    const serve = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const url = new URL(incoming.url ?? "", "http://localhost");
      const [, bucket = "", ...rest] = (incoming.url ?? "").split("?")[0]?.split("/") ?? [];
      const call: ProxiedCall = {
        operation: nameOperation(incoming, url),
        bucket,
        key: decodeURIComponent(rest.join("/")),
        query: url.searchParams,
        headers: incoming.headers,
        index: 0,
        forward: () => forward(target, incoming, Buffer.concat(chunks)),
      };
      call.index = calls.filter(({ operation }) => operation === call.operation).length;
      calls.push(call);
      busiest = Math.max(busiest, ++busy);
      const answered = call.operation === "GetCallerIdentity" ? whoIsAsking() : answer(call);
      const reply = await answered.finally(() => void busy--);
      if (reply.cutAfterBytes === 0) return void response.destroy();
      const headers = { ...reply.headers };
      delete headers["transfer-encoding"];
      // Of an answer to HEAD it is that of the object.
      if (incoming.method !== "HEAD") {
        delete headers["content-length"];
        headers["Content-Length"] = String(reply.body.length);
      }
      response.writeHead(reply.status, headers);
      if (reply.cutAfterBytes === undefined) response.end(reply.body);
      else response.write(reply.body.subarray(0, reply.cutAfterBytes), () => response.destroy());
    };
    serve().catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    busiest: () => busiest,
    count: (operation) => calls.filter((call) => call.operation === operation).length,
    script: (next = (call) => call.forward()) => {
      answer = next;
      calls.length = 0;
      busiest = 0;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function forward(target: string, incoming: IncomingMessage, body: Buffer): Promise<ProxiedReply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    const passed = request(
      { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.once("error", reject);
        answer.once("end", () =>
          resolve({
            status: answer.statusCode ?? 500,
            headers: answer.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    passed.once("error", reject);
    passed.end(body);
  });
}

function nameOperation({ method, headers }: IncomingMessage, url: URL): ProxiedOperation {
  const { pathname, searchParams: query } = url;
  const isObject = pathname.split("/").length > 2 && pathname.split("/")[2] !== "";
  if (pathname === "/" && method === "POST") return "GetCallerIdentity";
  if (method === "GET" && query.has("list-type")) return "ListObjectsV2";
  if (method === "GET" && query.has("uploads")) return "ListMultipartUploads";
  if (method === "GET" && query.has("versioning")) return "GetBucketVersioning";
  if (method === "GET" && query.has("tagging")) return "GetObjectTagging";
  if (method === "GET" && isObject) return "GetObject";
  if (method === "HEAD" && isObject) return "HeadObject";
  if (method === "POST" && query.has("uploads")) return "CreateMultipartUpload";
  if (method === "POST" && query.has("uploadId")) return "CompleteMultipartUpload";
  if (method === "DELETE" && query.has("uploadId")) return "AbortMultipartUpload";
  if (method === "DELETE" && isObject) return "DeleteObject";
  const isCopy = headers["x-amz-copy-source"] !== undefined;
  if (method === "PUT" && query.has("uploadId")) return isCopy ? "UploadPartCopy" : "UploadPart";
  if (method === "PUT" && isObject) return isCopy ? "CopyObject" : "PutObject";
  return "other";
}
