import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { Identity } from "../aws/identify-account.ts";

// Read synchronously, as the configuration is: nothing else goes on then, and each listing begins with it.

/** However the credentials came about, they are asked again after this long. */
const VALID_MS = 12 * 60 * 60 * 1000;
/** Their key id, which is no secret, tells one from the other. */
const SECRET_VARIABLES = new Set(["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);

export interface IdentityOptions {
  cacheFolder: string;
  environment: NodeJS.ProcessEnv;
}

interface Remembered extends Identity {
  /** ISO 8601. */
  at: string;
  /** What the credentials depended on then. */
  basis: string;
}

/**
 * Given a scope, return who its credentials are: what AWS said last, as long as neither the AWS files nor the AWS variables have changed
 * since, else what `ask` finds out now. Account, ARN and what they depend on are kept, no secret.
 */
export async function rememberIdentity(
  scope: AwsScope,
  options: IdentityOptions & { refresh: boolean },
  ask: () => Promise<Identity>,
): Promise<Identity> {
  const known = options.refresh ? undefined : recallIdentity(scope, options);
  if (known) return known;
  // Before asking: what changes meanwhile must not pass for the basis of the answer.
  const basis = describeBasis(scope, options.environment);
  const identity = await ask();
  const remembered: Remembered = { ...identity, at: new Date().toISOString(), basis };
  const { writeFileAtomically } = await import("../system/atomic-file.ts");
  // Not to be able to remember it costs the next run a question, and this one nothing.
  await writeFileAtomically(pathOf(scope, options), `${JSON.stringify(remembered)}\n`).catch(
    () => undefined,
  );
  return identity;
}

/** Given a scope, return what is remembered of it, without asking anybody. */
export function recallIdentity(scope: AwsScope, options: IdentityOptions): Identity | undefined {
  return readIdentity(pathOf(scope, options), describeBasis(scope, options.environment));
}

function pathOf(scope: AwsScope, { cacheFolder }: IdentityOptions): string {
  const name = encodeURIComponent(scope.profile ?? "").slice(-120) || "none";
  return join(cacheFolder, "identity", `${name}.json`);
}

function readIdentity(path: string, basis: string): Identity | undefined {
  try {
    const known = JSON.parse(readFileSync(path, "utf8")) as Remembered;
    const age = Date.now() - Date.parse(known.at);
    const isValid = known.basis === basis && age >= 0 && age < VALID_MS;
    const { account, principal } = known;
    return isValid && account && principal ? { account, principal } : undefined;
  } catch {
    // Missing, half-written or damaged: as good as none.
    return undefined;
  }
}

/** The AWS files as they are now, and the AWS variables less the secret ones. */
function describeBasis(scope: AwsScope, environment: NodeJS.ProcessEnv): string {
  const files = [
    environment["AWS_CONFIG_FILE"] || join(homedir(), ".aws", "config"),
    environment["AWS_SHARED_CREDENTIALS_FILE"] || join(homedir(), ".aws", "credentials"),
  ];
  const states = files.map((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return [file, found?.mtimeMs, found?.size, found?.ino];
  });
  const variables = Object.entries(environment)
    .filter(([name]) => name.startsWith("AWS_") && !SECRET_VARIABLES.has(name))
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([scope.profile, states, variables]);
}
