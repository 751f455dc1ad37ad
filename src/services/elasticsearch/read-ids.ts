import { OperatorError } from "../../system/errors.ts";
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

interface Hit {
  _id: string;
  _source?: Record<string, unknown>;
}

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
    const why = failed > 0 ? `${failed} shards failed` : "the search took too long";
    throw new OperatorError("failed", `${index}: ${why}`);
  };
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
          `${index}: ${count} documents came of ${announced ?? "?"} that were announced`,
        );
    },
    look: async (ids) => {
      if (ids.length === 0) return [];
      interface Found {
        docs: (Hit & { found?: boolean; error?: object })[];
      }
      const fields = field === undefined ? "_source=false" : `_source=${encodeURIComponent(field)}`;
      const { docs } = await cluster.ask<Found>("POST", `${asPath(index)}/_mget?${fields}`, {
        ids,
      });
      if (docs.every(({ error }) => error === undefined))
        return docs.filter(({ found }) => found).map(toDocument);
      // An alias of several indices: only a search knows in which one a document is.
      const query = { ids: { values: ids } };
      return hitsOf(await ask(path, { size: ids.length, _source: source, query })).map(toDocument);
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
