import {
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import type { AwsScope } from "../../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../../aws/client-options.ts";
import { explainAwsError } from "../../aws/explain-error.ts";

/** An object, as a listing tells it. */
interface ListedObject {
  key: string;
  sizeBytes: number;
  /** Milliseconds since 1970. */
  writtenAt: number;
}

/** The objects of a bucket below a prefix. */
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
  const options = await clientOptions(scope, "S3", access);
  const client = new S3Client({
    ...options,
    // A bucket is a name in front of AWS's own host only.
    forcePathStyle: options.endpoint !== undefined,
  });
  const sending = { abortSignal: access.signal };
  const explain = (error: unknown, action: string): Error => {
    access.signal.throwIfAborted();
    return explainAwsError(error, action, scope);
  };
  return {
    list: async (take) => {
      let token: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await client
          .send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
            sending,
          )
          .catch((error: unknown) => {
            throw explain(error, `s3:ListBucket of ${bucket}`);
          });
        for (const { Key, Size, LastModified } of page.Contents ?? [])
          if (Key !== undefined)
            take({ key: Key, sizeBytes: Size ?? 0, writtenAt: LastModified?.getTime() ?? 0 });
        if (page.IsTruncated && page.NextContinuationToken === undefined)
          throw new Error(`the listing of ${bucket} ends in its middle`);
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    look: async (key) => {
      try {
        const { ContentLength, LastModified } = await client.send(
          new HeadObjectCommand({ Bucket: bucket, Key: key }),
          sending,
        );
        return { key, sizeBytes: ContentLength ?? 0, writtenAt: LastModified?.getTime() ?? 0 };
      } catch (error) {
        if (error instanceof Error && error.name === "NotFound") return undefined;
        throw explain(error, `s3:GetObject of ${bucket}`);
      }
    },
    close: () => client.destroy(),
  };
}
