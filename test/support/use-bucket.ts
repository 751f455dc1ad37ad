import { writeFileSync } from "node:fs";
import type { BackupGround } from "./backup-ground.ts";

export const BUCKET = "lcops-sets";
/** The key of the profile; it opens nothing. */
export const BUCKET_SECRET = "lab-of-lcops-opens-nothing-bucket";

/** Given a ground and where S3 and STS answer, make the server's destination a bucket there; the operator's stays a folder. */
export function useBucket(ground: BackupGround, url: string): void {
  const [config, credentials] = [ground.at("aws-config"), ground.at("aws-credentials")];
  writeFileSync(config, `[profile dev]\nregion = us-west-2\nendpoint_url = ${url}\n`);
  writeFileSync(
    credentials,
    `[dev]\naws_access_key_id = AKIALCOPSLABDEV00000\naws_secret_access_key = ${BUCKET_SECRET}\n`,
    { mode: 0o600 },
  );
  Object.assign(ground.environment, {
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_EC2_METADATA_DISABLED: "true",
  });
  ground.configure((written) => {
    written.environments = {
      dev: { production: false, aws: { profile: "dev", regions: ["us-west-2"] } },
    };
    if (written.backups)
      written.backups.destinations = {
        server: { bucket: BUCKET, prefix: "team/sets", environment: "dev" },
        operator: { folder: ground.at("operator") },
      };
  });
}
