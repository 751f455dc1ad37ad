import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { OperatorError } from "../../system/errors.ts";
import type { BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import { bareEtag, type ListedObject, toSecond } from "./object-entry.ts";
import { orderKeys } from "./order-keys.ts";

export interface ListOptions {
  /** Only what comes behind this key. */
  after?: string;
  /** Only what does not come behind this key. */
  until?: string;
  /** Only keys that begin so. */
  prefix?: string;
}

/**
 * Given a bucket, return its objects in the order of their keys' bytes, page by page. Throws where the listing cannot be believed: cut off without
 * saying where it goes on, or out of order. What has been returned until then is a part of the whole.
 */
export async function* listBucket(
  place: BucketPlace,
  pace: Pace,
  { after, until, prefix = "" }: ListOptions = {},
): AsyncGenerator<ListedObject[]> {
  const { ListObjectsV2Command } = await import("@aws-sdk/client-s3");
  const { bucket, client } = place;
  const begin = place.prefix;
  let token: string | undefined;
  let last: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: begin + prefix,
      // A key may have characters that no XML can carry.
      EncodingType: "url",
      ...(token !== undefined && { ContinuationToken: token }),
      ...(token === undefined && after !== undefined && { StartAfter: begin + after }),
    });
    const page: ListObjectsV2CommandOutput = await pace
      .run((abortSignal) => client.send(command, { abortSignal }))
      .catch((error: unknown) => {
        throw place.explain(error, "s3:ListBucket");
      });
    const objects = readPage(page, place);
    for (const { key } of objects) {
      if (last !== undefined && orderKeys(last, key) >= 0)
        throw new OperatorError("failed", `the listing of ${place.place} is out of order`, {
          next: "lcops copies general purpose buckets, whose listings go by the bytes of the keys",
        });
      last = key;
    }
    const end = until;
    const wanted =
      end === undefined ? objects : objects.filter(({ key }) => orderKeys(key, end) <= 0);
    if (wanted.length > 0) yield wanted;
    if (wanted.length < objects.length) return;
    // A listing that says that there is more, and not where, would hide objects.
    if (page.IsTruncated && !page.NextContinuationToken)
      throw new OperatorError("failed", `the listing of ${place.place} is cut off`, {
        next: "nothing was copied or removed; run it again",
      });
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function readPage(page: ListObjectsV2CommandOutput, { prefix }: BucketPlace): ListedObject[] {
  const decode =
    page.EncodingType === "url"
      ? (key: string): string => decodeURIComponent(key.replaceAll("+", " "))
      : (key: string): string => key;
  return (page.Contents ?? []).map(({ Key = "", Size = 0, ETag, LastModified, StorageClass }) => ({
    key: decode(Key).slice(prefix.length),
    size: Size,
    etag: bareEtag(ETag),
    modified: toSecond(LastModified),
    ...(StorageClass !== undefined &&
      StorageClass !== "STANDARD" && { storageClass: StorageClass }),
  }));
}
