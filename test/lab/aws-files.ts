/** What the operator of the lab has in ~/.aws: two profiles, whose keys open nothing. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { LabAws, LabS3 } from "./lab.ts";

/** By profile; both belong to the one account of the lab. */
export const LAB_ACCOUNTS = {
  dev: {
    accessKeyId: "AKIALCOPSLABDEV00000",
    secretAccessKey: "lab-of-lcops-opens-nothing-dev",
  },
  prod: {
    accessKeyId: "AKIALCOPSLABPROD0000",
    secretAccessKey: "lab-of-lcops-opens-nothing-prod",
  },
};
const PROFILE_REGIONS = { dev: "us-west-2", prod: "eu-west-1" };

/** Takes a folder, the lab's AWS and its S3; writes its configuration, and returns the variables that lead there and no further. */
export function writeAwsFiles(
  folder: string,
  aws: LabAws | undefined,
  s3: LabS3 | undefined,
): Record<string, string> {
  const configFile = path.join(folder, "aws-config");
  const credentialsFile = path.join(folder, "aws-credentials");
  const profiles = Object.entries(PROFILE_REGIONS);
  const config = aws
    ? [
        ...profiles.map(
          ([name, region]) =>
            `[profile ${name}]\nregion = ${region}\nendpoint_url = ${aws.endpointUrl}\nservices = lab\n`,
        ),
        `[services lab]\nopsworks =\n  endpoint_url = ${aws.opsworksUrl}\ndynamodb =\n  endpoint_url = ${aws.dynamodbUrl}\n${s3 ? `s3 =\n  endpoint_url = ${s3.url}\n` : ""}`,
      ].join("\n")
    : "";
  const credentials = aws
    ? Object.entries(LAB_ACCOUNTS)
        .map(
          ([name, { accessKeyId, secretAccessKey }]) =>
            `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
        )
        .join("\n")
    : "";
  writeFileSync(configFile, config, { mode: 0o600 });
  writeFileSync(credentialsFile, credentials, { mode: 0o600 });
  return {
    AWS_CONFIG_FILE: configFile,
    AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
