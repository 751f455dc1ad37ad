/** An S3 in memory that does as a test says, call by call: paged listings, uploads in pieces, one bucket, one account. */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type S3Operation =
  | "ListObjectsV2"
  | "GetObject"
  | "PutObject"
  | "DeleteObject"
  | "CreateMultipartUpload"
  | "UploadPart"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload"
  | "ListMultipartUploads"
  | "GetCallerIdentity";

interface S3Call {
  operation: S3Operation;
  key: string;
  query: URLSearchParams;
  /** How many of that operation came before. */
  index: number;
  /** What it does by itself. */
  forward: () => S3Reply;
}

export interface S3Reply {
  status?: number;
  body?: string | Buffer;
  headers?: Record<string, string>;
  /** Promises more than it sends, and hangs up; with `0` nothing at all. */
  cutAfterBytes?: number;
}

export interface ScriptedS3 {
  url: string;
  objects: Map<string, Buffer>;
  /** Ids of the uploads that are neither complete nor given up, and when they began. */
  uploads: Map<string, { key: string; at: Date; pieces: Map<number, Buffer> }>;
  calls: { operation: S3Operation; key: string; headers: IncomingMessage["headers"] }[];
  /** What answers from now on; absent: as S3 does. */
  script: (answer?: (call: S3Call) => S3Reply | Promise<S3Reply>) => void;
  close: () => Promise<void>;
}

/** How S3 words a refusal (Amazon S3 API reference, error responses). */
export const refuse = (status: number, code: string): S3Reply => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
});

/** Hangs up without a word. */
export const RESET: S3Reply = { cutAfterBytes: 0 };

/** Takes how many objects a page of a listing has; starts on a free port of 127.0.0.1. */
export async function startScriptedS3(pageSize = 4): Promise<ScriptedS3> {
  const objects: ScriptedS3["objects"] = new Map();
  const uploads: ScriptedS3["uploads"] = new Map();
  const calls: ScriptedS3["calls"] = [];
  let answer = (call: S3Call): S3Reply | Promise<S3Reply> => call.forward();
  const server = createServer((incoming, response) => {
    const serve = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const url = new URL(incoming.url ?? "", "http://localhost");
      const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
      const operation = nameOperation(incoming.method ?? "", url);
      const index = calls.filter((call) => call.operation === operation).length;
      calls.push({ operation, key, headers: incoming.headers });
      const forward = (): S3Reply =>
        operation === "PutObject" && incoming.headers["if-none-match"] === "*" && objects.has(key)
          ? refuse(412, "PreconditionFailed")
          : act({ operation, key, query: url.searchParams, body, objects, uploads, pageSize });
      const reply = await answer({ operation, key, query: url.searchParams, index, forward });
      if (reply.cutAfterBytes === 0) return void response.destroy();
      const bytes = Buffer.from(reply.body ?? "");
      response.writeHead(reply.status ?? 200, {
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
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    calls,
    script: (next = (call) => call.forward()) => {
      answer = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function nameOperation(method: string, { pathname, searchParams: query }: URL): S3Operation {
  if (pathname === "/" && method === "POST") return "GetCallerIdentity";
  if (method === "GET" && query.has("list-type")) return "ListObjectsV2";
  if (method === "GET" && query.has("uploads")) return "ListMultipartUploads";
  if (method === "GET") return "GetObject";
  if (method === "POST")
    return query.has("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
  if (method === "DELETE") return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
  return query.has("uploadId") ? "UploadPart" : "PutObject";
}

interface Act extends Pick<ScriptedS3, "objects" | "uploads"> {
  operation: S3Operation;
  key: string;
  query: URLSearchParams;
  body: Buffer;
  pageSize: number;
}

const xml = (text: string): S3Reply => ({
  body: `<?xml version="1.0"?>${text}`,
  headers: { "Content-Type": "application/xml" },
});
const etag = (bytes: Buffer): string => `"${createHash("md5").update(bytes).digest("hex")}"`;

function act(call: Act): S3Reply {
  const { operation, key, query, body, objects, uploads } = call;
  const uploadId = query.get("uploadId") ?? "";
  const upload = uploads.get(uploadId);
  switch (operation) {
    case "GetCallerIdentity":
      return xml(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/lab</Arn><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
      );
    case "ListObjectsV2":
      return list(call);
    case "ListMultipartUploads":
      return xml(
        `<ListMultipartUploadsResult>${[...uploads]
          .map(
            ([id, one]) =>
              `<Upload><Key>${one.key}</Key><UploadId>${id}</UploadId><Initiated>${one.at.toISOString()}</Initiated></Upload>`,
          )
          .join("")}</ListMultipartUploadsResult>`,
      );
    case "GetObject": {
      const found = objects.get(key);
      return found ? { body: found, headers: { ETag: etag(found) } } : refuse(404, "NoSuchKey");
    }
    case "PutObject":
      objects.set(key, body);
      return { headers: { ETag: etag(body) } };
    case "DeleteObject":
      objects.delete(key);
      return { status: 204 };
    case "CreateMultipartUpload": {
      const id = randomUUID();
      uploads.set(id, { key, at: new Date(), pieces: new Map() });
      return xml(
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    case "UploadPart":
      if (!upload) return refuse(404, "NoSuchUpload");
      upload.pieces.set(Number(query.get("partNumber")), body);
      return { headers: { ETag: etag(body) } };
    case "CompleteMultipartUpload": {
      if (!upload) return refuse(404, "NoSuchUpload");
      const pieces = [...upload.pieces].toSorted(([one], [other]) => one - other);
      objects.set(key, Buffer.concat(pieces.map(([, piece]) => piece)));
      uploads.delete(uploadId);
      return xml("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
    }
    case "AbortMultipartUpload":
      uploads.delete(uploadId);
      return { status: 204 };
  }
}

function list({ query, objects, pageSize }: Act): S3Reply {
  const prefix = query.get("prefix") ?? "";
  const all = [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  const from = Number(query.get("continuation-token") ?? 0);
  const page = all.slice(from, from + pageSize);
  const hasMore = from + pageSize < all.length;
  const contents = page.map(
    (key) =>
      `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`,
  );
  return xml(
    `<ListBucketResult><IsTruncated>${hasMore}</IsTruncated>${hasMore ? `<NextContinuationToken>${from + pageSize}</NextContinuationToken>` : ""}${contents.join("")}</ListBucketResult>`,
  );
}
