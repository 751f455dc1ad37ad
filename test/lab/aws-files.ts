/** What the operator of the lab has in ~/.aws: two profiles, whose keys open nothing. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { LabAws } from "./lab.ts";

/** By profile; both belong to the one account of the lab. */
const LAB_ACCESS_KEYS = { dev: "AKIALCOPSLABDEV00000", prod: "AKIALCOPSLABPROD0000" };
const PROFILE_REGIONS = { dev: "us-west-2", prod: "eu-west-1" };

/** Takes a folder and the lab's AWS; writes its configuration, and returns the variables that lead there and no further. */
export function writeAwsFiles(folder: string, aws: LabAws | undefined): Record<string, string> {
  const configFile = path.join(folder, "aws-config");
  const credentialsFile = path.join(folder, "aws-credentials");
  const profiles = Object.entries(PROFILE_REGIONS);
  const config = aws
    ? [
        ...profiles.map(
          ([name, region]) =>
            `[profile ${name}]\nregion = ${region}\nendpoint_url = ${aws.endpointUrl}\nservices = lab\n`,
        ),
        `[services lab]\nopsworks =\n  endpoint_url = ${aws.opsworksUrl}\ndynamodb =\n  endpoint_url = ${aws.dynamodbUrl}\n`,
      ].join("\n")
    : "";
  const credentials = aws
    ? Object.entries(LAB_ACCESS_KEYS)
        .map(
          ([name, key]) =>
            `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = lab-of-lcops-opens-nothing-${name}\n`,
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
