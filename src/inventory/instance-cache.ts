import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Identity } from "../aws/identify-account.ts";
import type { Instance } from "./instance.ts";

/** What one account, principal and region answered, and when. */
export interface CachedAnswer {
  /** ISO 8601. */
  at: string;
  instances: Instance[];
}

/** Raised whenever `Instance` changes its shape. */
const VERSION = 1;

/** Where the answer for a principal and region is kept. What stands in the file decides whose it is: the name need not be its own alone. */
function pathOf(cacheFolder: string, identity: Identity, region: string): string {
  const principal = encodeURIComponent(identity.principal).slice(-120);
  return join(
    cacheFolder,
    "inventory",
    `v${VERSION}-${identity.account}-${region}-${principal}.json`,
  );
}

/** Given who asks for which region, return the last answer; undefined where there is none, or one that is damaged or from the future. */
export function readCachedAnswer(
  cacheFolder: string,
  identity: Identity,
  region: string,
): CachedAnswer | undefined {
  try {
    const text = readFileSync(pathOf(cacheFolder, identity, region), "utf8");
    const answer = JSON.parse(text) as CachedAnswer & Identity;
    const isOurs = answer.account === identity.account && answer.principal === identity.principal;
    const isPast = Date.parse(answer.at) <= Date.now();
    const isWhole =
      Array.isArray(answer.instances) &&
      answer.instances.every((one: Partial<Instance> | null) => typeof one?.id === "string");
    return isOurs && isPast && isWhole ? answer : undefined;
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
  const { writeFileAtomically } = await import("../system/atomic-file.ts");
  await writeFileAtomically(pathOf(cacheFolder, identity, region), formatAnswer(identity, answer));
}

/** One JSON document, piece by piece: as one string, tens of thousands of instances would be held twice. */
function* formatAnswer(identity: Identity, { at, instances }: CachedAnswer): Generator<string> {
  yield `${JSON.stringify({ ...identity, at }).slice(0, -1)},"instances":[`;
  for (let index = 0; index < instances.length; index += PIECE) {
    const piece = instances.slice(index, index + PIECE).map((instance) => JSON.stringify(instance));
    yield `${index === 0 ? "" : ","}\n${piece.join(",\n")}`;
  }
  yield "]}\n";
}

/** Instances in a piece of the file. */
const PIECE = 500;
