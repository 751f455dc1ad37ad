import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { BucketPlace } from "./bucket-place.ts";
import { isNamed, statusOf } from "./bucket-place.ts";
import { checkBytes, type ExpectedBytes } from "./check-bytes.ts";
import { describeCopy } from "./copy-object.ts";
import type { Pace } from "./keep-pace.ts";
import { listBucket } from "./list-bucket.ts";
import type { CatalogEntry, ListedObject, StoredCopy } from "./object-entry.ts";
import {
  describeMisfit,
  type Inspection,
  LostCopyError,
  type ObjectContent,
  type ObjectSide,
} from "./object-side.ts";
import { orderKeys } from "./order-keys.ts";
import { type OpenObject, openObject, toUpload } from "./read-object.ts";

/** Up to here an object is one request; above it goes piece by piece, so many bytes each. */
const PIECE_BYTES = 16 * 1024 ** 2;
const MOST_PIECES = 10_000;

/** Given a bucket, return it as the place of a copy, or of a restore. */
export function bucketSide(place: BucketPlace, pace: Pace, signal: AbortSignal): ObjectSide {
  return {
    place: place.place,
    identity: identifyBucket(place),
    write: (key, content) => writeObject(place, key, content, signal),
    settle: () => Promise.resolve(),
    open: (entry) => openCopy(place, entry, signal),
    inspect: () => inspectBucket(place, pace),
    remove: async ({ key }) => {
      const { DeleteObjectCommand } = await import("@aws-sdk/client-s3");
      const command = new DeleteObjectCommand({ Bucket: place.bucket, Key: place.prefix + key });
      await pace.run((abortSignal) => place.client.send(command, { abortSignal }));
    },
  };
}

/** Given a bucket, return what tells it from any other: a hash, since it goes into manifests. */
export function identifyBucket({ endpoint, bucket, prefix }: BucketPlace): string {
  return createHash("sha256")
    .update(`${endpoint}\0${bucket}\0${prefix}`)
    .digest("hex")
    .slice(0, 32);
}

async function writeObject(
  place: BucketPlace,
  key: string,
  { bytes, size, headers }: ObjectContent,
  signal: AbortSignal,
): Promise<StoredCopy> {
  const hash = createHash("sha256");
  const counted = (async function* () {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  })();
  const at = { Bucket: place.bucket, Key: place.prefix + key, ...(toUpload(headers) as object) };
  const put = size <= PIECE_BYTES ? putWhole : putPieces;
  const { ETag, VersionId, pieceBytes } = await put(place, at, counted, size, signal);
  return {
    // Of no object: whatever it is, it is remembered.
    ...describeCopy({ etag: "" }, ETag, VersionId),
    sha256: hash.digest("hex"),
    ...(pieceBytes !== undefined && { pieceBytes }),
  };
}

interface Put {
  ETag?: string | undefined;
  VersionId?: string | undefined;
  pieceBytes?: number;
}
type At = { Bucket: string; Key: string };

async function putWhole(
  { client }: BucketPlace,
  at: At,
  bytes: AsyncIterable<Uint8Array>,
  _size: number,
  signal: AbortSignal,
): Promise<Put> {
  const { PutObjectCommand } = await import("@aws-sdk/client-s3");
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  // The SDK adds a checksum, with which S3 compares what has arrived.
  const command = new PutObjectCommand({ ...at, Body: Buffer.concat(chunks) });
  return client.send(command, { abortSignal: signal });
}

async function putPieces(
  { client }: BucketPlace,
  at: At,
  bytes: AsyncIterable<Uint8Array>,
  size: number,
  signal: AbortSignal,
): Promise<Put> {
  const { Upload } = await import("@aws-sdk/lib-storage");
  let failure: unknown;
  // What the SDK makes of a source that fails is not always an error of its own.
  const watched = (async function* () {
    try {
      yield* bytes;
    } catch (error) {
      failure = error ?? new Error("its source failed");
      throw error;
    }
  })();
  const partSize = Math.max(PIECE_BYTES, Math.ceil(size / MOST_PIECES));
  const upload = new Upload({
    client,
    params: { ...at, Body: Readable.from(watched, { objectMode: false }) },
    partSize,
    queueSize: 2,
  });
  const abort = (): void => void upload.abort();
  signal.addEventListener("abort", abort);
  try {
    return { ...(await upload.done()), pieceBytes: partSize };
  } catch (error) {
    throw failure ?? error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function openCopy(
  place: BucketPlace,
  entry: CatalogEntry,
  signal: AbortSignal,
): Promise<{ content: ObjectContent; isHashed: boolean }> {
  const { key, size, modified, copy } = entry;
  const etag = copy.etag ?? entry.etag;
  const { version } = copy;
  let found: OpenObject;
  try {
    found = await openObject(
      place,
      { key, etag, ...(version !== undefined && { version }) },
      signal,
    );
  } catch (error) {
    if (isNamed(error, "NoSuchKey", "NoSuchVersion", "NotFound"))
      throw new LostCopyError("it is missing");
    if (statusOf(error) === 412)
      throw new LostCopyError("it was replaced since, and the bucket keeps no versions of then");
    throw error;
  }
  const expected = expectOf(entry, found);
  return {
    content: {
      bytes: checkBytes(found.bytes, expected),
      size,
      modified,
      headers: found.headers,
    },
    isHashed: expected.sha256 !== undefined || Boolean(expected.md5 ?? expected.pieces),
  };
}

/** All that is known of the bytes of a copy. */
function expectOf(entry: CatalogEntry, found: OpenObject): ExpectedBytes {
  const { size, copy } = entry;
  const isEncryptedByKms = !found.hasMd5 && /^[0-9a-f]{32}$/.test(found.etag);
  return {
    size,
    ...(copy.sha256 !== undefined && { sha256: copy.sha256 }),
    ...(found.hasMd5 && { md5: found.etag }),
    ...(copy.pieceBytes !== undefined &&
      found.etag.includes("-") &&
      !isEncryptedByKms && { pieces: { etag: found.etag, bytes: copy.pieceBytes } }),
  };
}

/** Both are in one order: a listing that goes on beside the questions answers them all. */
function inspectBucket(place: BucketPlace, pace: Pace): Inspection {
  const pages = listBucket(place, pace);
  let page: ListedObject[] = [];
  let at = 0;
  let isOver = false;
  const find = async (key: string): Promise<ListedObject | undefined> => {
    for (;;) {
      const next = page[at];
      if (next) {
        const order = orderKeys(next.key, key);
        if (order > 0) return undefined;
        if (order === 0) return next;
        at++;
      } else if (isOver) return undefined;
      else {
        const more = await pages.next();
        isOver = more.done === true;
        page = more.done ? [] : more.value;
        at = 0;
      }
    }
  };
  return {
    check: async (entry) => {
      const found = await find(entry.key);
      const isThere = found?.size === entry.size && found.etag === (entry.copy.etag ?? entry.etag);
      if (isThere) return undefined;
      const isKept = entry.copy.version !== undefined && (await hasVersion(place, pace, entry));
      return isKept ? undefined : describeMisfit(entry, found?.size);
    },
    end: async () => void (await pages.return(undefined)),
  };
}

/** An older set looks for a version that another has replaced. */
async function hasVersion(place: BucketPlace, pace: Pace, entry: CatalogEntry): Promise<boolean> {
  const { HeadObjectCommand } = await import("@aws-sdk/client-s3");
  const command = new HeadObjectCommand({
    Bucket: place.bucket,
    Key: place.prefix + entry.key,
    VersionId: entry.copy.version,
  });
  try {
    const { ContentLength } = await pace.run((abortSignal) =>
      place.client.send(command, { abortSignal }),
    );
    return ContentLength === entry.size;
  } catch (error) {
    if (statusOf(error) === 404 || statusOf(error) === 405) return false;
    throw error;
  }
}
