import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { Identity } from "../aws/identify-account.ts";
import { writeFileAtomically } from "../system/atomic-file.ts";

/** However the credentials came about, they are asked again after this long. */
const VALID_MS = 12 * 60 * 60 * 1000;

/**
 * Given a scope, return who its credentials are: what AWS said last, as long as neither the AWS files nor the AWS variables have changed
 * since, else what `ask` finds out now. Only account and ARN are kept, under a hash of what they depend on.
 */
export async function rememberIdentity(
  scope: AwsScope,
  options: { cacheFolder: string; environment: NodeJS.ProcessEnv; refresh: boolean },
  ask: () => Promise<Identity>,
): Promise<Identity> {
  const path = join(
    options.cacheFolder,
    "identity",
    `${await fingerprint(scope, options.environment)}.json`,
  );
  if (!options.refresh) {
    const known = await readIdentity(path);
    if (known) return known;
  }
  const identity = await ask();
  await writeFileAtomically(
    path,
    `${JSON.stringify({ ...identity, at: new Date().toISOString() })}\n`,
  );
  return identity;
}

async function readIdentity(path: string): Promise<Identity | undefined> {
  try {
    const { account, principal, at } = JSON.parse(await readFile(path, "utf8")) as Identity & {
      at: string;
    };
    const age = Date.now() - Date.parse(at);
    return age >= 0 && age < VALID_MS && account && principal ? { account, principal } : undefined;
  } catch {
    return undefined;
  }
}

async function fingerprint(scope: AwsScope, environment: NodeJS.ProcessEnv): Promise<string> {
  const files = [
    environment["AWS_CONFIG_FILE"] || join(homedir(), ".aws", "config"),
    environment["AWS_SHARED_CREDENTIALS_FILE"] || join(homedir(), ".aws", "credentials"),
  ];
  const states = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs, size, ino }) => [file, mtimeMs, size, ino],
        () => [file],
      ),
    ),
  );
  const variables = Object.entries(environment)
    .filter(([name]) => name.startsWith("AWS_"))
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([scope.profile, states, variables]))
    .digest("hex")
    .slice(0, 32);
}
