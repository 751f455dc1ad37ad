import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import type { Store } from "../../backup/store.ts";
import type { DestinationConfig, DestinationName } from "../../config/backup-schema.ts";
import type { Config } from "../../config/schema.ts";
import { OperatorError } from "../../system/errors.ts";
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

/** Given an environment and a region (absent: its first), return where AWS is asked. Throws `configuration` where neither says. */
export async function findScope(
  config: Config,
  environment: string | undefined,
  region: string | undefined,
  context: Context,
): Promise<{ scope: AwsScope; access: AwsAccess }> {
  const { identifyAccount } = await import("../../aws/identify-account.ts");
  const { refuseOtherAccount } = await import("../../aws/refuse-other-account.ts");
  const { planScopes } = await import("../../inventory/plan-scopes.ts");
  const name = environment ?? config.defaultEnvironment;
  const [planned] = planScopes(config, {
    ...(name !== undefined && { environment: name }),
    ...(region !== undefined && { region }),
  });
  if (!planned) {
    throw new OperatorError(
      "configuration",
      `it is not said in which account and region ${name ?? "it"} is`,
      {
        next: "give its environment a section aws with a profile and regions",
      },
    );
  }
  const access = { environment: context.environment, signal: context.signal };
  refuseOtherAccount(planned, await identifyAccount(planned, access));
  return { scope: planned, access };
}
