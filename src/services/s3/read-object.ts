import { isNamed, statusOf, type BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import { bareEtag, type ListedObject, type ObjectHeaders, toSecond } from "./object-entry.ts";

/** An object as it is read: the answer's headers, and its bytes. */
export interface OpenObject {
  bytes: AsyncIterable<Uint8Array>;
  size: number;
  etag: string;
  version?: string;
  headers: ObjectHeaders;
  /** Whether its etag is the MD5 of its bytes: of one piece, and not encrypted with a key of KMS (S3 API reference, Object). */
  hasMd5: boolean;
}

/** Given a bucket and an object of it, return its bytes as they are in that version, or at that etag. Throws what the SDK throws; the tags are asked for where there are some. */
export async function openObject(
  { bucket, prefix, client }: BucketPlace,
  { key, etag, version }: { key: string; etag?: string; version?: string },
  signal: AbortSignal,
): Promise<OpenObject> {
  const { GetObjectCommand } = await import("@aws-sdk/client-s3");
  const at = {
    Bucket: bucket,
    Key: prefix + key,
    ...(version !== undefined && { VersionId: version }),
  };
  const answer = await client.send(
    new GetObjectCommand({ ...at, ...(etag !== undefined && { IfMatch: `"${etag}"` }) }),
    { abortSignal: signal },
  );
  const body = answer.Body as unknown as AsyncIterable<Uint8Array> & { destroy(): void };
  try {
    const found = bareEtag(answer.ETag);
    return {
      bytes: body,
      size: answer.ContentLength ?? 0,
      etag: found,
      ...(answer.VersionId !== undefined && { version: answer.VersionId }),
      headers: await readHeaders(answer, at, client, signal),
      hasMd5:
        /^[0-9a-f]{32}$/.test(found) &&
        !answer.ServerSideEncryption?.startsWith("aws:kms") &&
        answer.SSECustomerAlgorithm === undefined,
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

const PLAIN = [
  "ContentType",
  "CacheControl",
  "ContentDisposition",
  "ContentEncoding",
  "ContentLanguage",
  "WebsiteRedirectLocation",
  "StorageClass",
] as const;

/** What GetObject and HeadObject say of an object besides its bytes. */
interface Answer extends Partial<Record<(typeof PLAIN)[number], string | undefined>> {
  ExpiresString?: string | undefined;
  Metadata?: Record<string, string> | undefined;
  TagCount?: number | undefined;
}

/** Given the answer of GetObject or HeadObject, return the headers of the object, and its tags. */
export async function readHeaders(
  answer: Answer,
  at: { Bucket: string; Key: string; VersionId?: string },
  client: BucketPlace["client"],
  signal: AbortSignal,
): Promise<ObjectHeaders> {
  const headers: ObjectHeaders = {};
  for (const name of PLAIN) {
    const value = answer[name];
    if (value !== undefined) headers[name] = value;
  }
  if (answer.ExpiresString !== undefined) headers.Expires = answer.ExpiresString;
  if (answer.Metadata && Object.keys(answer.Metadata).length > 0)
    headers.Metadata = answer.Metadata;
  if ((answer.TagCount ?? 0) > 0) {
    const { GetObjectTaggingCommand } = await import("@aws-sdk/client-s3");
    const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(at), {
      abortSignal: signal,
    });
    headers.Tagging = new URLSearchParams(
      TagSet.map(({ Key = "", Value = "" }): [string, string] => [Key, Value]),
    ).toString();
  }
  return headers;
}

/** Given headers as a catalog has them, return them as an upload takes them. Pure. */
export function toUpload({ Expires, ...headers }: ObjectHeaders): Omit<ObjectHeaders, "Expires"> & {
  Expires?: Date;
} {
  const at = new Date(Expires ?? Number.NaN);
  return { ...headers, ...(!Number.isNaN(at.getTime()) && { Expires: at }) } as ReturnType<
    typeof toUpload
  >;
}

/** Given a bucket and a key, return what a listing would show of it now; undefined where there is nothing. */
export async function lookUpObject(
  place: BucketPlace,
  key: string,
  pace: Pace,
): Promise<ListedObject | undefined> {
  const { HeadObjectCommand } = await import("@aws-sdk/client-s3");
  const command = new HeadObjectCommand({ Bucket: place.bucket, Key: place.prefix + key });
  try {
    const found = await pace.run((abortSignal) => place.client.send(command, { abortSignal }));
    return {
      key,
      size: found.ContentLength ?? 0,
      etag: bareEtag(found.ETag),
      modified: toSecond(found.LastModified),
      ...(found.StorageClass !== undefined &&
        found.StorageClass !== "STANDARD" && { storageClass: found.StorageClass }),
    };
  } catch (error) {
    if (isNamed(error, "NotFound", "NoSuchKey") || statusOf(error) === 404) return undefined;
    throw error;
  }
}
