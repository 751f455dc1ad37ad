/** What S3 promises, as far as lcops leans on it, each with the question that shows whether a server keeps the promise. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { S3Property } from "./lab.ts";

/** A client, and an empty bucket that the question may fill. */
type Ground = { client: S3Client; Bucket: string };

const put = ({ client, Bucket }: Ground, Key: string, Body = "x", more = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));

async function listKeys({ client, Bucket }: Ground): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = "" }) => Key);
}

async function read({ client, Bucket }: Ground, Key: string): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? "";
}

/** Whether it is refused with that status. */
async function refuses(status: number, asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => false,
    (error: { $metadata?: { httpStatusCode?: number } }) =>
      error.$metadata?.httpStatusCode === status,
  );
}

async function keepsKeys(ground: Ground, keys: string[]): Promise<boolean> {
  for (const key of keys) await put(ground, key, key);
  const listed = await listKeys(ground);
  const bodies = await Promise.all(keys.map((key) => read(ground, key)));
  const ordered = keys.map((key) => Buffer.from(key)).toSorted(Buffer.compare);
  return (
    bodies.every((body, index) => body === keys[index]) &&
    listed.join("\n") === ordered.map(String).join("\n")
  );
}

const FIVE_MIB = 5 * 1_024 * 1_024;

async function upload(ground: Ground, Key: string, conditions = {}): Promise<string> {
  const { client, Bucket } = ground;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const bodies = [Buffer.alloc(FIVE_MIB, 1), Buffer.from("end")];
  const Parts = await Promise.all(
    bodies.map(async (Body, index) => {
      const part = { Bucket, Key, UploadId, PartNumber: index + 1 };
      const { ETag } = await client.send(new UploadPartCommand({ ...part, Body }));
      return { ETag, PartNumber: index + 1 };
    }),
  );
  const { ETag } = await client.send(
    new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts },
      ...conditions,
    }),
  );
  return ETag ?? "";
}

async function copiesPart(ground: Ground): Promise<boolean> {
  const { client, Bucket } = ground;
  await put(ground, "from", "0123456789");
  const whole = { Bucket, Key: "to" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(whole));
  const { CopyPartResult } = await client.send(
    new UploadPartCopyCommand({
      ...whole,
      UploadId,
      PartNumber: 1,
      CopySource: `${Bucket}/from`,
      CopySourceRange: "bytes=2-5",
    }),
  );
  const Parts = [{ ETag: CopyPartResult?.ETag, PartNumber: 1 }];
  await client.send(
    new CompleteMultipartUploadCommand({ ...whole, UploadId, MultipartUpload: { Parts } }),
  );
  return (await read(ground, "to")) === "2345";
}

async function keepsVersions(ground: Ground): Promise<boolean> {
  const { client, Bucket } = ground;
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  const { VersionId } = await put(ground, "key", "one");
  await put(ground, "key", "two");
  const { DeleteMarker } = await client.send(new DeleteObjectCommand({ Bucket, Key: "key" }));
  const { Versions = [], DeleteMarkers = [] } = await client.send(
    new ListObjectVersionsCommand({ Bucket }),
  );
  const first = await client.send(new GetObjectCommand({ Bucket, Key: "key", VersionId }));
  const body = await first.Body?.transformToString();
  return (
    DeleteMarker === true && Versions.length === 2 && DeleteMarkers.length === 1 && body === "one"
  );
}

async function pages(ground: Ground): Promise<boolean> {
  const { client, Bucket } = ground;
  for (const key of ["a", "b", "c", "d", "e"]) await put(ground, key);
  const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({
      Bucket,
      MaxKeys: 2,
      ...(first.NextContinuationToken && { ContinuationToken: first.NextContinuationToken }),
    }),
  );
  const after = await client.send(new ListObjectsV2Command({ Bucket, StartAfter: "c" }));
  return (
    first.IsTruncated === true &&
    Contents.map(({ Key }) => Key).join("") === "cd" &&
    after.Contents?.map(({ Key }) => Key).join("") === "de"
  );
}

async function keepsHeaders(ground: Ground): Promise<boolean> {
  const { client, Bucket } = ground;
  const Metadata = { speaker: "s-1" };
  const headers = { ContentType: "audio/mpeg", CacheControl: "max-age=60", Metadata };
  await put(ground, "key", "x", { ...headers, Tagging: "class=B1" });
  await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/key` }));
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "copy" }));
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: "copy" }));
  return (
    head.ContentType === "audio/mpeg" &&
    head.CacheControl === "max-age=60" &&
    head.Metadata?.["speaker"] === "s-1" &&
    TagSet[0]?.Value === "B1"
  );
}

/** Takes a client and an empty bucket; each says whether the server keeps the promise. A question that it refuses throws. */
export const S3_QUESTIONS: Record<S3Property, (ground: Ground) => Promise<boolean>> = {
  "a key may be another's folder": (ground) => keepsKeys(ground, ["a", "a/b", "a/b/c"]),
  "an empty level of a key stays": (ground) => keepsKeys(ground, ["a//b", "a/b", "/a"]),
  "a key may end in a slash": (ground) => keepsKeys(ground, ["folder/"]),
  "a key may have dots for a level": (ground) => keepsKeys(ground, ["a/./b"]),
  "a level of a key may be long": (ground) => keepsKeys(ground, ["k".repeat(400)]),
  "keys may have any character": (ground) =>
    keepsKeys(ground, ["a b ", "a+b", "a%2Fb", "a&b<c>", 'a"b', "学生/🎒"]),
  "keys are listed by their bytes": (ground) => keepsKeys(ground, ["🎒", "～", "a-b", "a/b", "aA"]),
  "listings have pages": pages,
  "a put may be conditional": async (ground) => {
    await put(ground, "key");
    const again = await refuses(412, put(ground, "key", "y", { IfNoneMatch: "*" }));
    return again && (await read(ground, "key")) === "x";
  },
  "a copy may be conditional": async (ground) => {
    const { client, Bucket } = ground;
    const { ETag } = await put(ground, "key");
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/key` };
    await put(ground, "key", "changed");
    return refuses(412, client.send(new CopyObjectCommand({ ...copy, CopySourceIfMatch: ETag })));
  },
  "an upload may be conditional": async (ground) => {
    await put(ground, "key");
    return refuses(412, upload(ground, "key", { IfNoneMatch: "*" }));
  },
  "an upload's etag counts its parts": async (ground) =>
    (await upload(ground, "key")).endsWith('-2"'),
  "a part may be copied": copiesPart,
  "a wrong sha256 is refused": (ground) =>
    refuses(400, put(ground, "key", "x", { ChecksumSHA256: Buffer.alloc(32).toString("base64") })),
  "a wrong crc64nvme is refused": (ground) =>
    refuses(
      400,
      put(ground, "key", "x", { ChecksumCRC64NVME: Buffer.alloc(8, 1).toString("base64") }),
    ),
  "a checksum is told": async (ground) => {
    const { client, Bucket } = ground;
    await put(ground, "key", "x", { ChecksumAlgorithm: "SHA256" });
    const asked = { Bucket, Key: "key", ChecksumMode: "ENABLED" } as const;
    const { ChecksumSHA256 } = await client.send(new HeadObjectCommand(asked));
    return ChecksumSHA256 === "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=";
  },
  "versions are kept": keepsVersions,
  "headers and tags are kept and copied": keepsHeaders,
  "a wrong secret is refused": async ({ client, Bucket }) => {
    const { accessKeyId } = await client.config.credentials();
    const endpoint = await client.config.endpoint?.();
    const liar = new S3Client({
      region: "us-west-2",
      endpoint: `${endpoint?.protocol}//${endpoint?.hostname}:${endpoint?.port}`,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey: "wrong" },
    });
    try {
      return await refuses(403, liar.send(new ListObjectsV2Command({ Bucket })));
    } finally {
      liar.destroy();
    }
  },
};
