import { OperatorError } from "../../system/errors.ts";
import { type BucketPlace, isNamed, statusOf } from "./bucket-place.ts";
import { checkBytes, DamagedBytesError } from "./check-bytes.ts";
import { copyObject } from "./copy-object.ts";
import type { Pace } from "./keep-pace.ts";
import type { CatalogEntry, ListedObject } from "./object-entry.ts";
import type { CopyPlace } from "./open-places.ts";
import { lookUpObject, openObject } from "./read-object.ts";

/** What became of an object that was to be copied. */
export type CopyResult =
  | { state: "copied"; entry: CatalogEntry; changed: boolean }
  /** It was gone before it could be read. */
  | { state: "vanished" }
  | { state: "skipped"; reason: string };

/** Between a listing and its turn an object may be overwritten; one that is so often is not waited for. */
const ATTEMPTS = 3;
/** So many refusals in a row are no matter of single objects. */
const MOST_REFUSED = 25;

/** Given a source and a copy, return what copies one object: by S3 itself where it can, else through this machine. */
export function makeCopier(
  source: BucketPlace,
  copy: CopyPlace,
  pace: Pace,
): (object: ListedObject) => Promise<CopyResult> {
  let isServerSide: Promise<boolean> | undefined;
  let refused = 0;
  const copyAs = async (object: ListedObject): Promise<CatalogEntry> => {
    isServerSide ??= canCopyAlone(source, copy, object, pace);
    if (copy.bucket && (await isServerSide)) {
      const done = await copyObject(source, copy.bucket, object, pace);
      return { ...object, ...done };
    }
    return pace.run((signal) => streamObject(source, copy, object, signal));
  };
  return async (object) => {
    let current = object;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const entry = await copyAs(current);
        refused = 0;
        return { state: "copied", entry, changed: attempt > 1 };
      } catch (error) {
        if (isNamed(error, "NoSuchKey")) return { state: "vanished" };
        if (isNamed(error, "InvalidObjectState"))
          return { state: "skipped", reason: "it is archived, and must be restored there first" };
        if (isNamed(error, "AccessDenied") && ++refused < MOST_REFUSED)
          return { state: "skipped", reason: "permission to read or to store it is denied" };
        if (error instanceof DamagedBytesError) {
          if (attempt < ATTEMPTS) continue;
          return { state: "skipped", reason: `${error.message}, however often it is read` };
        }
        const hasChanged = statusOf(error) === 412 || isNamed(error, "ChangedError");
        if (!hasChanged) throw explainCopy(error, source, copy);
        const now = await lookUpObject(source, object.key, pace).catch((failure: unknown) => {
          throw explainCopy(failure, source, copy);
        });
        if (!now) return { state: "vanished" };
        current = now;
      }
    }
    return { state: "skipped", reason: "it changes while it is copied, again and again" };
  };
}

function explainCopy(error: unknown, source: BucketPlace, { bucket }: CopyPlace): unknown {
  // Of bytes that are not what they should be, or of the disk.
  const isOfAws = statusOf(error) !== undefined || isNamed(error, "TimeoutError");
  if (isOfAws) return (bucket ?? source).explain(error, "s3:GetObject and s3:PutObject");
  if (error instanceof OperatorError || !(error instanceof Error)) return error;
  return source.explain(error, "s3:GetObject");
}

class ChangedError extends Error {
  override readonly name = "ChangedError";
}

/** Its bytes through this machine, compared with its etag where that is their MD5. */
async function streamObject(
  source: BucketPlace,
  { side, bucket }: CopyPlace,
  object: ListedObject,
  signal: AbortSignal,
): Promise<CatalogEntry> {
  const { key, etag, size, modified } = object;
  const found = await openObject(source, { key, etag }, signal);
  // A server that takes no conditions.
  if (found.etag !== etag) throw new ChangedError(`${key} has changed`);
  const bytes = checkBytes(found.bytes, { size, ...(found.hasMd5 && { md5: etag }) });
  const stored = await side.write(key, { bytes, size, modified, headers: found.headers });
  const { etag: storedEtag, ...rest } = stored;
  return {
    ...object,
    ...(found.version !== undefined && found.version !== "null" && { version: found.version }),
    copy: { ...rest, ...(storedEtag !== undefined && storedEtag !== etag && { etag: storedEtag }) },
    // A bucket keeps them itself.
    ...(!bucket && Object.keys(found.headers).length > 0 && { headers: found.headers }),
  };
}

/** Whether S3 copies by itself: both are behind one endpoint, and who may write the copy may read the source. */
async function canCopyAlone(
  source: BucketPlace,
  { bucket }: CopyPlace,
  { key }: ListedObject,
  pace: Pace,
): Promise<boolean> {
  if (!bucket || bucket.endpoint !== source.endpoint) return false;
  if (bucket.scope.profile === source.scope.profile) return true;
  try {
    await lookUpObject({ ...source, client: bucket.client }, key, pace);
    return true;
  } catch (error) {
    if (statusOf(error) === 403 || statusOf(error) === 301 || statusOf(error) === 400) return false;
    throw error;
  }
}
