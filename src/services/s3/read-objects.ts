import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import { isOfSdk, openBucketPlace } from "./bucket-place.ts";
import { keepPace } from "./keep-pace.ts";
import { listBucket } from "./list-bucket.ts";
import type { ListedObject } from "./object-entry.ts";
import { lookUpObject } from "./read-object.ts";

/** The objects of a bucket whose keys begin so; a key is the whole key. */
export interface ObjectReader {
  /** Calls `take` with each, page by page. Throws where the listing is not whole. */
  list(take: (object: ListedObject) => void): Promise<void>;
  /** Undefined where there is none now. */
  look(key: string): Promise<ListedObject | undefined>;
  close(): void;
}

/** Given a bucket and how AWS is asked, return what reads its objects. */
export async function openObjects(
  scope: AwsScope,
  access: AwsAccess,
  { bucket, prefix }: { bucket: string; prefix: string },
): Promise<ObjectReader> {
  const place = await openBucketPlace({ bucket }, { scope, access });
  const pace = keepPace(access.signal);
  return {
    list: async (take) => {
      for await (const objects of listBucket(place, pace, { prefix })) objects.forEach(take);
    },
    look: (key) =>
      lookUpObject(place, key, pace).catch((error: unknown) => {
        access.signal.throwIfAborted();
        throw isOfSdk(error) ? place.explain(error, "s3:GetObject") : error;
      }),
    close: () => place.client.destroy(),
  };
}
