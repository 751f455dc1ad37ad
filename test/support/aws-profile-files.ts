import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { vi } from "vitest";
import { rereadProfiles } from "../../src/aws/list-profiles.ts";

export interface ProfileFiles {
  /** Variables that name the files. */
  environment: Record<string, string>;
  /** Writes both files and makes the SDK read them. */
  write(config: string, credentials?: string): Promise<void>;
  remove(): void;
}

/** Returns AWS files of the test's own. The SDK finds them by `process.env`, which is set until `remove`. */
export function makeProfileFiles(): ProfileFiles {
  const folder = mkdtempSync(path.join(tmpdir(), "lcops-profiles-"));
  const environment = {
    AWS_CONFIG_FILE: path.join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, "credentials"),
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return {
    environment,
    write: (config, credentials = "") => {
      writeFileSync(environment.AWS_CONFIG_FILE, config);
      writeFileSync(environment.AWS_SHARED_CREDENTIALS_FILE, credentials);
      return rereadProfiles();
    },
    remove: () => {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    },
  };
}
