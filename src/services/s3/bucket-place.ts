import type { S3Client } from "@aws-sdk/client-s3";
import { type AwsScope, describeScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import { OperatorError } from "../../system/errors.ts";

/** A bucket, or what of it begins with a prefix, and how it is spoken to. */
export interface BucketPlace {
  bucket: string;
  /** What its keys begin with, with the slash behind it; empty: nothing. */
  prefix: string;
  client: S3Client;
  scope: AwsScope;
  /** Tells what answers: two buckets of one name behind two of them are two. */
  endpoint: string;
  /** `s3://bucket/prefix` */
  place: string;
  /** Given what the SDK threw and the action of IAM that it needs, return it in our words. */
  explain(error: unknown, action: string): unknown;
}

export interface BucketSettings {
  bucket: string;
  prefix?: string;
}

const SILENCE_TIMEOUT_MS = 30_000;
/** More are never on their way at once. */
const SOCKETS = 128;

/** Given a bucket and where AWS is asked for it, return its place. Nothing is asked yet. `close` it. */
export async function openBucketPlace(
  { bucket, prefix }: BucketSettings,
  { scope, access }: { scope: AwsScope; access: AwsAccess },
): Promise<BucketPlace> {
  const { S3Client } = await import("@aws-sdk/client-s3");
  const { clientOptions } = await import("../../aws/client-options.ts");
  const { explainAwsError } = await import("../../aws/explain-error.ts");
  const options = await clientOptions(scope, "S3", access);
  const client = new S3Client({
    ...options,
    // What is tried again, and how much at once, is decided in one place, which must see every refusal: keepPace.
    retryMode: "standard",
    maxAttempts: 1,
    // A client asks about one bucket: what of a request is the same for all of its kind is worked out once. Only requests without options have it.
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: options.requestHandler.connectionTimeout,
      // A large object takes its time on a slow line: what must not last is silence.
      socketTimeout: SILENCE_TIMEOUT_MS,
      httpAgent: { maxSockets: SOCKETS, keepAlive: true },
      httpsAgent: { maxSockets: SOCKETS, keepAlive: true },
    },
    responseChecksumValidation: "WHEN_REQUIRED",
    // A bucket is a name in front of AWS's own host only.
    forcePathStyle: options.endpoint !== undefined,
  });
  const endpoint = await client.config.endpoint?.();
  return {
    bucket,
    prefix: prefix === undefined ? "" : `${prefix}/`,
    client,
    scope,
    endpoint: endpoint ? `${endpoint.hostname}:${endpoint.port ?? 443}` : "aws",
    place: `s3://${bucket}/${prefix ?? ""}`,
    explain: (error, action) => {
      if (error instanceof OperatorError) return error;
      if (!isNamed(error, "NoSuchBucket")) return explainAwsError(error, action, scope);
      return new OperatorError(
        "configuration",
        `there is no bucket ${bucket} in ${describeScope(scope)}`,
        { next: "make it, or correct its name in the configuration", cause: error },
      );
    },
  };
}

/** Given anything that was thrown, return whether it is the refusal of that name. */
export const isNamed = (error: unknown, ...names: readonly string[]): boolean =>
  error instanceof Error && names.includes(error.name);

/** Given anything that was thrown, return whether the SDK threw it, and no disk and no reader of ours. */
export const isOfSdk = (error: unknown): boolean =>
  error instanceof Error && ("$metadata" in error || error.name.endsWith("ProviderError"));

/** Given what the SDK threw, return the status of the answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata
    ?.httpStatusCode;
}
