import type { Store } from "../../backup/store.ts";
import type { DestinationConfig, DestinationName } from "../../config/backup-schema.ts";
import type { Config } from "../../config/schema.ts";
import { findScope } from "../../reach/find-scope.ts";
import type { Context } from "../command.ts";

const SILENCE_TIMEOUT_MS = 30_000;

/** Given a bucket of the configuration, return it as a store. Throws `refused` where the profile belongs to another account than it should, before the bucket is asked anything. */
export async function openBucket(
  name: DestinationName,
  destination: Extract<DestinationConfig, { bucket: string }>,
  config: Config,
  context: Context,
): Promise<Store> {
  const { S3Client } = await import("@aws-sdk/client-s3");
  const { clientOptions } = await import("../../aws/client-options.ts");
  const { explainAwsError } = await import("../../aws/explain-error.ts");
  const { openBucketStore } = await import("../../backup/bucket-store.ts");
  const { bucket, prefix, region, environment } = destination;
  const { scope, access } = await findScope(config, environment, region, context);
  const options = await clientOptions(scope, "S3", access);
  const client = new S3Client({
    ...options,
    // A piece of 16 MiB takes its time on a slow line: what must not last is silence.
    requestHandler: {
      connectionTimeout: options.requestHandler.connectionTimeout,
      socketTimeout: SILENCE_TIMEOUT_MS,
    },
    // What is damaged is a finding of lcops' own hashes, and no failure of the network.
    responseChecksumValidation: "WHEN_REQUIRED",
    // A bucket is a name in front of AWS's own host only.
    forcePathStyle: options.endpoint !== undefined,
  });
  return openBucketStore({
    name,
    bucket,
    client,
    signal: context.signal,
    explain: (error, action) => explainAwsError(error, action, scope),
    ...(prefix !== undefined && { prefix }),
  });
}
