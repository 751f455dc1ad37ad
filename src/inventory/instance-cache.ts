import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Identity } from "../aws/identify-account.ts";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { Instance } from "./instance.ts";

/** What one account, principal and region answered, and when. */
export interface CachedAnswer {
  /** ISO 8601. */
  at: string;
  instances: Instance[];
}

/** Raised whenever `Instance` changes its shape. */
const VERSION = 1;

/** Where the answer for a principal and region is kept: nobody else's ever has that name. */
function pathOf(cacheFolder: string, identity: Identity, region: string): string {
  const key = createHash("sha256")
    .update(JSON.stringify([identity.principal, region, VERSION]))
    .digest("hex");
  return join(cacheFolder, "inventory", `${identity.account}-${region}-${key.slice(0, 16)}.json`);
}

/** Given who asks for which region, return the last answer; undefined where there is none, or one that is damaged or from the future. */
export async function readCachedAnswer(
  cacheFolder: string,
  identity: Identity,
  region: string,
): Promise<CachedAnswer | undefined> {
  try {
    const text = await readFile(pathOf(cacheFolder, identity, region), "utf8");
    const answer = JSON.parse(text) as CachedAnswer & Identity;
    const isOurs = answer.account === identity.account && answer.principal === identity.principal;
    const isPast = Date.parse(answer.at) <= Date.now();
    return isOurs && isPast && Array.isArray(answer.instances) ? answer : undefined;
  } catch {
    // Missing, half-written or damaged: as good as none.
    return undefined;
  }
}

/** Given an answer, keep it for who asked; 0600, whole or not at all. */
export async function writeCachedAnswer(
  cacheFolder: string,
  identity: Identity,
  region: string,
  answer: CachedAnswer,
): Promise<void> {
  await writeFileAtomically(
    pathOf(cacheFolder, identity, region),
    `${JSON.stringify({ ...identity, ...answer })}\n`,
  );
}
