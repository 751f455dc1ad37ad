import { Readable } from "node:stream";
import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { askPages } from "../../system/guard-pages.ts";
import type { BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import type { ListedObject } from "./object-entry.ts";
import { orderKeys } from "./order-keys.ts";
import { scanListing } from "./scan-listing.ts";

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
  const begin = place.prefix;
  const pages = askPages(
    (token: string | undefined) => {
      const input: ListObjectsV2CommandInput = {
        Bucket: place.bucket,
        Prefix: begin + prefix,
        // A key may have characters that no XML can carry.
        EncodingType: "url",
        ...(token !== undefined && { ContinuationToken: token }),
        ...(token === undefined && after !== undefined && { StartAfter: begin + after }),
      };
      return pace
        .run((abortSignal) => askPage(place, input, abortSignal))
        .catch((error: unknown) => {
          throw place.explain(error, "s3:ListBucket");
        });
    },
    ({ page }) => (page.IsTruncated ? page.NextContinuationToken : undefined),
    `the listing of ${place.place}`,
  );
  let last: string | undefined;
  for await (const { page, objects } of pages) {
    for (const { key } of objects) {
      if (last !== undefined && orderKeys(last, key) >= 0)
        throw new OperatorError("failed", `the listing of ${place.place} is out of order`, {
          next: "lcops reads general purpose buckets, whose listings go by the bytes of the keys",
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
        next: "nothing was done by it; run it again",
      });
  }
}

/** Ask for a page, and take its objects out of the answer before the SDK reads it. */
async function askPage(
  { client, prefix }: BucketPlace,
  input: ListObjectsV2CommandInput,
  abortSignal: AbortSignal,
): Promise<{ page: ListObjectsV2CommandOutput; objects: ListedObject[] }> {
  const { ListObjectsV2Command } = await import("@aws-sdk/client-s3");
  const command = new ListObjectsV2Command(input);
  let found: ListedObject[] = [];
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as {
        statusCode: number;
        body: AsyncIterable<Buffer> | Readable;
      };
      if (response.statusCode === 200) {
        const chunks: Buffer[] = [];
        for await (const chunk of response.body) chunks.push(chunk as Buffer);
        const { objects, rest } = scanListing(Buffer.concat(chunks).toString("utf8"));
        found = objects;
        response.body = Readable.from([Buffer.from(rest)]);
      }
      return result;
    },
    // Next to the wire: what it leaves is what the SDK reads.
    { step: "deserialize", priority: "low" },
  );
  const page = await client.send(command, { abortSignal });
  const count = page.KeyCount ?? found.length;
  if (page.Contents !== undefined || count !== found.length)
    throw new OperatorError(
      "failed",
      `a page of the listing has ${countOf(count, "object")}, and not ${found.length}`,
    );
  const isEncoded = page.EncodingType === "url";
  return {
    page,
    objects: found.map((object) => ({
      ...object,
      key: (isEncoded ? decodeURIComponent(object.key.replaceAll("+", " ")) : object.key).slice(
        prefix.length,
      ),
    })),
  };
}
