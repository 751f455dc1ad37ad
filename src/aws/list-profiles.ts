import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Given the environment variables, return the names of the AWS profiles of this user, from the shared config and credentials files;
 * files that are missing or unreadable have none. Section names: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
 */
export async function listProfiles(environment: NodeJS.ProcessEnv): Promise<string[]> {
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
  return [...new Set(names)];
}
