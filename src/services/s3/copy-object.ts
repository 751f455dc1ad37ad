import type { CompletedPart } from "@aws-sdk/client-s3";
import type { BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import { bareEtag, type ListedObject, type StoredCopy } from "./object-entry.ts";
import { readHeaders, toUpload } from "./read-object.ts";

/** Larger ones are copied in pieces (S3 API reference, CopyObject). */
const MOST_AT_ONCE = 5 * 1024 ** 3;
/** An upload has 10,000 pieces at most (S3 user guide, multipart upload limits). */
const USUAL_PIECE = 512 * 1024 ** 2;
const MOST_PIECES = 10_000;
const PIECES_AT_ONCE = 4;

/**
 * Given an object and two buckets behind one endpoint, have S3 copy it, with its headers and tags, if it is still what the listing has shown.
 * Returns what it is there, and the version of the source that was copied. Throws what the SDK throws.
 */
export async function copyObject(
  from: BucketPlace,
  to: BucketPlace,
  object: ListedObject & { version?: string },
  pace: Pace,
  toKey = object.key,
): Promise<{ copy: StoredCopy; version?: string }> {
  if (object.size > MOST_AT_ONCE) return copyPieces(from, to, object, pace, toKey);
  const { CopyObjectCommand } = await import("@aws-sdk/client-s3");
  const command = new CopyObjectCommand({
    Bucket: to.bucket,
    Key: to.prefix + toKey,
    ...sourceOf(from, object),
    ...(object.storageClass !== undefined && {
      StorageClass: object.storageClass as "STANDARD_IA",
    }),
  });
  // Without its signal, which would cost a quarter of the time of small ones: whoever stops the run closes the client.
  const answer = await pace.run(() => to.client.send(command));
  const version = answer.CopySourceVersionId ?? object.version;
  return {
    copy: describeCopy(object, answer.CopyObjectResult?.ETag, answer.VersionId),
    ...(version !== undefined && { version }),
  };
}

function sourceOf(
  { bucket, prefix }: BucketPlace,
  { key, etag, version }: { key: string; etag: string; version?: string },
): { CopySource: string; CopySourceIfMatch: string } {
  const path = `${bucket}/${prefix}${key}`.split("/").map(encodeURIComponent).join("/");
  return {
    CopySource: version === undefined ? path : `${path}?versionId=${encodeURIComponent(version)}`,
    CopySourceIfMatch: `"${etag}"`,
  };
}

/** Given an object and what was answered when it was stored, return what a catalog remembers of it. Pure. */
export function describeCopy(
  { etag }: { etag: string },
  storedEtag: string | undefined,
  version: string | undefined,
): StoredCopy {
  const found = bareEtag(storedEtag);
  return {
    ...(found !== "" && found !== etag && { etag: found }),
    ...(version !== undefined && version !== "null" && { version }),
  };
}

async function copyPieces(
  from: BucketPlace,
  to: BucketPlace,
  object: ListedObject & { version?: string },
  pace: Pace,
  toKey: string,
): Promise<{ copy: StoredCopy; version?: string }> {
  const s3 = await import("@aws-sdk/client-s3");
  const read = {
    Bucket: from.bucket,
    Key: from.prefix + object.key,
    ...(object.version !== undefined && { VersionId: object.version }),
  };
  const source = await pace.run((abortSignal) =>
    from.client.send(new s3.HeadObjectCommand({ ...read, IfMatch: `"${object.etag}"` }), {
      abortSignal,
    }),
  );
  const headers = await pace.run((signal) => readHeaders(source, read, from.client, signal));
  const at = { Bucket: to.bucket, Key: to.prefix + toKey };
  const { UploadId } = await pace.run((abortSignal) =>
    to.client.send(
      new s3.CreateMultipartUploadCommand({ ...at, ...(toUpload(headers) as object) }),
      { abortSignal },
    ),
  );
  const pieceBytes = Math.max(USUAL_PIECE, Math.ceil(object.size / MOST_PIECES));
  const count = Math.ceil(object.size / pieceBytes);
  const pieces: CompletedPart[] = [];
  const failures: unknown[] = [];
  try {
    const numbers = Array.from({ length: count }, (_, index) => index).values();
    const copySome = async (): Promise<void> => {
      for (const index of numbers) {
        if (failures.length > 0) return;
        const first = index * pieceBytes;
        const last = Math.min(object.size, first + pieceBytes) - 1;
        const command = new s3.UploadPartCopyCommand({
          ...at,
          ...sourceOf(from, object),
          UploadId,
          PartNumber: index + 1,
          CopySourceRange: `bytes=${first}-${last}`,
        });
        const { CopyPartResult } = await pace.run((abortSignal) =>
          to.client.send(command, { abortSignal }),
        );
        pieces[index] = { PartNumber: index + 1, ETag: CopyPartResult?.ETag };
      }
    };
    // None may still be on its way when the upload is given up.
    await Promise.all(
      Array.from({ length: PIECES_AT_ONCE }, () =>
        copySome().catch((error: unknown) => void failures.push(error)),
      ),
    );
    if (failures.length > 0) throw failures[0];
    const done = await pace.run((abortSignal) =>
      to.client.send(
        new s3.CompleteMultipartUploadCommand({
          ...at,
          UploadId,
          MultipartUpload: { Parts: pieces },
        }),
        { abortSignal },
      ),
    );
    const version = source.VersionId;
    return {
      copy: { ...describeCopy(object, done.ETag, done.VersionId), pieceBytes },
      ...(version !== undefined && { version }),
    };
  } catch (error) {
    await abortUpload(to, at, UploadId);
    throw error;
  }
}

const ABORT_LIMIT_MS = 10_000;

/** With a signal of its own: that of the run may be what ended it. What stays is removed by the bucket's rule for unfinished uploads, or by the next run. */
async function abortUpload(
  to: BucketPlace,
  at: { Bucket: string; Key: string },
  UploadId: string | undefined,
): Promise<void> {
  const { AbortMultipartUploadCommand } = await import("@aws-sdk/client-s3");
  await to.client
    .send(new AbortMultipartUploadCommand({ ...at, UploadId }), {
      abortSignal: AbortSignal.timeout(ABORT_LIMIT_MS),
    })
    .catch(() => undefined);
}
