import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Identity } from "../aws/identify-account.ts";
import type { Instance } from "./instance.ts";

/** What one account, principal and region answered, and when. */
export interface CachedAnswer {
  /** ISO 8601. */
  at: string;
  instances: Instance[];
  /** What is to be said of it each time that it is shown. */
  notes: string[];
}

/** Whose answer, and to what. */
export interface CacheKey extends Identity {
  region: string;
  /** Which services and actions were asked, e.g. `ec2-opsworks`: who asks for less never takes it for more. */
  asked: string;
}

/** Raised whenever `Instance` changes its shape. */
const VERSION = 2;

/** Where the answer to a key is kept. What stands in the file decides whose it is: the name need not be its own alone. */
function pathOf(cacheFolder: string, { account, principal, region, asked }: CacheKey): string {
  const who = encodeURIComponent(principal).slice(-120);
  return join(cacheFolder, "inventory", `v${VERSION}-${account}-${region}-${asked}-${who}.json`);
}

/** Given a key, return the last answer; undefined where there is none, or one that is damaged or from the future. */
export function readCachedAnswer(cacheFolder: string, key: CacheKey): CachedAnswer | undefined {
  try {
    const text = readFileSync(pathOf(cacheFolder, key), "utf8");
    const answer = JSON.parse(text) as CachedAnswer & CacheKey;
    const isOurs = answer.account === key.account && answer.principal === key.principal;
    const isPast = Date.parse(answer.at) <= Date.now();
    const isWhole =
      Array.isArray(answer.notes) &&
      Array.isArray(answer.instances) &&
      answer.instances.every((one: Partial<Instance> | null) => typeof one?.id === "string");
    return isOurs && isPast && isWhole ? answer : undefined;
  } catch {
    // Missing, half-written or damaged: as good as none.
    return undefined;
  }
}

/** Given an answer, keep it under its key; 0600, whole or not at all. */
export async function writeCachedAnswer(
  cacheFolder: string,
  key: CacheKey,
  answer: CachedAnswer,
): Promise<void> {
  const { writeFileAtomically } = await import("../system/atomic-file.ts");
  await writeFileAtomically(pathOf(cacheFolder, key), formatAnswer(key, answer));
}

/** One JSON document, piece by piece: as one string, tens of thousands of instances would be held twice. */
function* formatAnswer(key: CacheKey, { instances, ...answer }: CachedAnswer): Generator<string> {
  yield `${JSON.stringify({ ...key, ...answer }).slice(0, -1)},"instances":[`;
  for (let index = 0; index < instances.length; index += PIECE) {
    const piece = instances.slice(index, index + PIECE).map((instance) => JSON.stringify(instance));
    yield `${index === 0 ? "" : ","}\n${piece.join(",\n")}`;
  }
  yield "]}\n";
}

/** Instances in a piece of the file. */
const PIECE = 500;
