import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { asPath, type Cluster } from "./cluster.ts";

/** A document, as far as it is to be compared. */
interface DocumentId {
  id: string;
  /** The text of the field that was asked for; undefined where it has none. */
  version: string | undefined;
}

export interface DocumentReader {
  /** Calls `take` with each document, of one moment. Throws where a shard fails or the number is not the one that was announced. */
  list(take: (document: DocumentId) => void): Promise<void>;
  /** Those of them that are there now, whether a search would find them yet or not. */
  look(ids: readonly string[]): Promise<DocumentId[]>;
}

const PAGE = 2_000;
const KEEP_ALIVE = "2m";
/** What a search returns at most, unless its index says otherwise. */
const MOST_HITS = 10_000;
/** Where routing is used, or an alias leads to several indices, so many documents may have one id. */
const SAME_IDS = 4;

interface Hit {
  _index: string;
  _id: string;
  /** Only where it was given with the document: it then stands in another shard than its id says. */
  _routing?: string;
  _source?: Record<string, unknown>;
}

type Got = Hit & { found?: boolean; error?: object };

interface Answer {
  _scroll_id?: string;
  timed_out?: boolean;
  _shards?: { failed?: number };
  hits?: { total?: number | { value: number }; hits: Hit[] };
}

/** Given a cluster, an index or alias, and a field, return what reads its documents; a scroll is understood by every version of both kinds. */
export function openDocuments(
  cluster: Cluster,
  { index, versionField: field }: { index: string; versionField?: string | undefined },
): DocumentReader {
  const source = field === undefined ? false : [field];
  const path = `${asPath(index)}/_search`;
  const toDocument = ({ _id, _source }: Hit): DocumentId => ({
    id: _id,
    version: field === undefined ? undefined : textAt(_source, field),
  });
  // A page that is asked for twice would be another one.
  const ask = async (to: string, body: object): Promise<Answer> => {
    const answer = await cluster.ask<Answer>("POST", to, body, { patienceMs: 0 });
    const failed = answer._shards?.failed ?? 0;
    if (answer.timed_out !== true && failed === 0) return answer;
    const why = failed > 0 ? `${countOf(failed, "shard")} failed` : "the search took too long";
    throw new OperatorError("failed", `${index}: ${why}`);
  };
  const fields = field === undefined ? "_source=false" : `_source=${encodeURIComponent(field)}`;
  const get = async (where: string, wanted: object): Promise<Got[]> =>
    (await cluster.ask<{ docs: Got[] }>("POST", `${where}/_mget?${fields}`, wanted)).docs;
  return {
    list: async (take) => {
      const request = { size: PAGE, sort: ["_doc"], _source: source, track_total_hits: true };
      let answer = await ask(`${path}?scroll=${KEEP_ALIVE}`, request);
      const { total } = answer.hits ?? {};
      const announced = typeof total === "object" ? total.value : total;
      let count = 0;
      try {
        for (let hits = hitsOf(answer); hits.length > 0; hits = hitsOf(answer)) {
          for (const hit of hits) take(toDocument(hit));
          count += hits.length;
          const next = { scroll: KEEP_ALIVE, scroll_id: answer._scroll_id };
          answer = await ask("/_search/scroll", next);
        }
      } finally {
        // Kept, it would hold its files until it is over by itself.
        await cluster.release("DELETE", "/_search/scroll", { scroll_id: answer._scroll_id });
      }
      if (announced !== count)
        throw new OperatorError(
          "failed",
          `${index}: ${countOf(count, "document")} came of ${announced ?? "?"} that were announced`,
        );
    },
    look: async (ids) => {
      if (ids.length === 0) return [];
      const docs = await get(asPath(index), { ids });
      const isAlias = docs.some(({ error }) => error !== undefined);
      const there = isAlias ? [] : docs.filter(({ found }) => found);
      const known = new Set(there.map(({ _id }) => _id));
      const rest = ids.filter((id) => !known.has(id));
      if (rest.length === 0) return there.map(toDocument);
      // In which index of an alias, or in which shard by a routing of its own, a document stands only a search knows; whether it still does, it does not.
      const query = { ids: { values: rest } };
      const size = Math.min(MOST_HITS, rest.length * SAME_IDS);
      const hits = hitsOf(await ask(path, { size, _source: false, query }));
      const places = hits
        .filter(({ _routing }) => isAlias || _routing !== undefined)
        .map(({ _index, _id, _routing: routing }) => ({
          _index,
          _id,
          ...(routing !== undefined && { routing }),
        }));
      const more = places.length === 0 ? [] : await get("", { docs: places });
      return [...there, ...more.filter(({ found }) => found)].map(toDocument);
    },
  };
}

const hitsOf = (answer: Answer): Hit[] => answer.hits?.hits ?? [];

/** A field may be written as one name with dots in it, or as objects within each other. */
function textAt(source: Record<string, unknown> | undefined, field: string): string | undefined {
  let value: unknown = source?.[field];
  if (value === undefined) {
    value = source;
    for (const name of field.split("."))
      value = (value as Record<string, unknown> | undefined)?.[name];
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
