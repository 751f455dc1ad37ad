import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

export interface Profile {
  name: string;
  /** Its default region. */
  region?: string;
}

/**
 * Given the environment variables, return the AWS profiles of this user, of the shared config and credentials files; files that are missing
 * or unreadable have none. The SDK's reader knows no profile without a setting, so the names are read here, by their headings: AWS SDKs and
 * Tools Reference Guide, "Shared config and credentials files".
 */
export async function listProfiles(environment: NodeJS.ProcessEnv): Promise<Profile[]> {
  const folder = join(homedir(), ".aws");
  const files = [
    environment["AWS_CONFIG_FILE"] || join(folder, "config"),
    environment["AWS_SHARED_CREDENTIALS_FILE"] || join(folder, "credentials"),
  ];
  const contents = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  const names = contents.flatMap((content) =>
    [...content.matchAll(/^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/gm)]
      .map((match) => match[1] ?? "")
      // Other kinds of section: `[sso-session x]`, `[services x]`.
      .filter((name) => name !== "" && !/^(sso-session|services)\s/.test(name)),
  );
  const { configFile } = await loadSharedConfigFiles({ ignoreCache: true });
  return [...new Set(names)].map((name) => {
    const region = configFile[name]?.["region"];
    return { name, ...(region !== undefined && { region }) };
  });
}

/** Reads ~/.aws/config and credentials again: the SDK keeps them for the life of the process, which outlives most credentials. */
export async function rereadProfiles(): Promise<void> {
  await loadSharedConfigFiles({ ignoreCache: true });
}
