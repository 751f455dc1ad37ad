import { Readable } from "node:stream";
import pLimit from "p-limit";
import type { PartSink } from "../backup-driver.ts";
import type { Fact, SetReader } from "../set-content.ts";
import { asPath, type Cluster } from "./cluster.ts";
import { countDocuments, type FoundIndex, isOfIndex, readState, refresh } from "./indices.ts";
import { layOutPage, newTally } from "./lay-out-page.ts";
import { readLines } from "./read-lines.ts";
import { DEFINITIONS } from "./save-definitions.ts";

/** How many documents of an index are compared after a restore, chosen at random. */
const DOCUMENTS = 20;
const AT_ONCE = 4;
const ROLE = "sample";

/** What was true of an index at a moment. */
interface Look {
  index: string;
  state: string | undefined;
  rows: number;
  ids: readonly string[];
  /** Of the documents with these ids. */
  digest: string | undefined;
}

/** Given indices that are open and whole, look at each: how many documents it has, and what some of them are. */
export async function lookAt(cluster: Cluster, indices: readonly FoundIndex[]): Promise<Look[]> {
  const limit = pLimit(AT_ONCE);
  const looks = await Promise.all(
    indices.map(({ name }) =>
      limit(async (): Promise<Look> => {
        const state = await readState(cluster, name);
        await refresh(cluster, name);
        const rows = await countDocuments(cluster, name);
        const ids = await pickIds(cluster, name);
        return { index: name, state, rows, ids, digest: await digestOf(cluster, name, ids) };
      }).catch(passOver),
    ),
  );
  return looks.flatMap((look) => look ?? []);
}

/** What was removed meanwhile has no facts, nor has what may not be read: a snapshot has it all the same. */
function passOver(error: unknown): undefined {
  if (!isOfIndex(error)) throw error;
}

/**
 * Given what was seen of indices before a snapshot, look again and return what must be true of it, with the ids that were looked at as a part of the set: the
 * count of an index that did not change meanwhile, and documents that are the same on both sides.
 */
export async function factsBetween(
  cluster: Cluster,
  looks: readonly Look[],
  sink: PartSink,
): Promise<Fact[]> {
  const limit = pLimit(AT_ONCE);
  const compared: Look[] = [];
  const facts = await Promise.all(
    looks.map((look) =>
      limit(async (): Promise<Fact[]> => {
        const { index, state, rows, ids, digest } = look;
        const isSame = state !== undefined && (await readState(cluster, index)) === state;
        const isKept = digest !== undefined && (await digestOf(cluster, index, ids)) === digest;
        if (isKept) compared.push(look);
        if (!isSame && !isKept) return [];
        return [
          {
            object: index,
            ...(isSame && { rows, state }),
            ...(isKept && { checksum: describeDigest(ids.length, digest) }),
          },
        ];
      }).catch(passOver),
    ),
  );
  const lines = compared.map(({ index, ids }) => `${JSON.stringify({ index, ids })}\n`);
  const path = "elasticsearch/sample.ndjson";
  await sink.write(
    { path, object: DEFINITIONS, role: ROLE, seq: 0 },
    Readable.from(lines.map((line) => Buffer.from(line))),
  );
  return facts
    .flatMap((found) => found ?? [])
    .toSorted((one, other) => (one.object < other.object ? -1 : 1));
}

/** Given a set of a snapshot and how its indices are called where they were restored, return the same facts of those. */
export async function measureSample(
  cluster: Cluster,
  set: SetReader,
  nameOf: (index: string) => string,
): Promise<Fact[]> {
  const part = set.parts.find(({ role }) => role === ROLE);
  const picked = new Map<string, string[]>();
  if (part)
    for await (const line of readLines(set.read(part))) {
      const { index, ids } = JSON.parse(line) as { index: string; ids: string[] };
      picked.set(index, ids);
    }
  const facts: Fact[] = [];
  for (const { object, rows, checksum } of set.facts) {
    const name = nameOf(object);
    await refresh(cluster, name);
    const ids = picked.get(object) ?? [];
    const digest =
      checksum === undefined
        ? undefined
        : ((await digestOf(cluster, name, ids)) ?? "not all there");
    facts.push({
      object,
      ...(rows !== undefined && { rows: await countDocuments(cluster, name) }),
      ...(digest !== undefined && { checksum: describeDigest(ids.length, digest) }),
    });
  }
  return facts;
}

const describeDigest = (documents: number, digest: string): string =>
  `sha256-xor of ${documents} documents, by their ids:${digest}`;

async function pickIds(cluster: Cluster, index: string): Promise<string[]> {
  const query = { function_score: { query: { match_all: {} }, random_score: {} } };
  const { hits } = await cluster.ask<{ hits: { hits: { _id: string }[] } }>(
    "POST",
    `${asPath(index)}/_search`,
    { size: DOCUMENTS, query, _source: false },
  );
  return hits.hits.map(({ _id }) => _id);
}

/** Undefined where not all of them are there, or the index keeps no sources. */
async function digestOf(
  cluster: Cluster,
  index: string,
  ids: readonly string[],
): Promise<string | undefined> {
  const page = await cluster.read({
    method: "POST",
    path: `${asPath(index)}/_search`,
    body: JSON.stringify({
      size: ids.length,
      query: { ids: { values: ids } },
      ...cluster.wholeSource,
    }),
  });
  const tally = newTally();
  try {
    layOutPage(page, tally);
  } catch {
    return undefined;
  }
  return tally.documents === ids.length && ids.length > 0 ? tally.sum.toString("hex") : undefined;
}
