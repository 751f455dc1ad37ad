import { OperatorError } from "../../system/errors.ts";
import type { Endpoint } from "../service.ts";

/** A document, as far as it is to be compared. */
interface DocumentId {
  id: string;
  /** The text of the field that was asked for; undefined where it has none. */
  version: string | undefined;
}

export interface DocumentReader {
  /** Calls `take` with each document, of one moment. Throws where a shard fails or the number is not the one that was announced. */
  list(take: (document: DocumentId) => void): Promise<void>;
  look(ids: readonly string[]): Promise<DocumentId[]>;
}

const PAGE = 2_000;
const KEEP_ALIVE = "2m";
const TIMEOUT_MS = 60_000;

interface Answer {
  _scroll_id?: string;
  timed_out?: boolean;
  _shards?: { failed?: number };
  hits?: {
    total?: number | { value: number };
    hits: { _id: string; _source?: Record<string, unknown> }[];
  };
  error?: { reason?: string; root_cause?: { reason?: string }[] } | string;
}

/** Given where a search service is reached, an index or alias, and a field, return what reads its documents; a scroll is understood by every version of both kinds. */
export function openDocuments(
  endpoint: Endpoint,
  { index, field, signal }: { index: string; field: string | undefined; signal: AbortSignal },
): DocumentReader {
  const ask = async (method: string, path: string, body: object): Promise<Answer> => {
    const response = await fetch(`http://${endpoint.host}:${endpoint.port}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer = (await response.json()) as Answer;
    if (response.ok && answer.timed_out !== true && (answer._shards?.failed ?? 0) === 0)
      return answer;
    const { error } = answer;
    const why =
      typeof error === "string" ? error : (error?.root_cause?.[0]?.reason ?? error?.reason);
    throw new OperatorError(
      "failed",
      `${index}: ${why ?? (answer.timed_out ? "the search took too long" : `${answer._shards?.failed ?? "?"} shards failed`)}`,
    );
  };
  const source = field === undefined ? false : [field];
  const path = `/${encodeURIComponent(index)}/_search`;
  const read = (answer: Answer): DocumentId[] =>
    (answer.hits?.hits ?? []).map(({ _id, _source }) => ({
      id: _id,
      version: field === undefined ? undefined : textAt(_source, field),
    }));
  return {
    list: async (take) => {
      const request = { size: PAGE, sort: ["_doc"], _source: source, track_total_hits: true };
      let answer = await ask("POST", `${path}?scroll=${KEEP_ALIVE}`, request);
      const { total } = answer.hits ?? {};
      const announced = typeof total === "object" ? total.value : total;
      let count = 0;
      try {
        for (let page = read(answer); page.length > 0; page = read(answer)) {
          for (const document of page) take(document);
          count += page.length;
          const next = { scroll: KEEP_ALIVE, scroll_id: answer._scroll_id };
          answer = await ask("POST", "/_search/scroll", next);
        }
      } finally {
        // Kept, it would hold its files until it is over by itself.
        await ask("DELETE", "/_search/scroll", { scroll_id: answer._scroll_id }).catch(
          () => undefined,
        );
      }
      if (announced !== undefined && announced !== count)
        throw new OperatorError(
          "failed",
          `${index}: ${count} documents came of ${announced} that were announced`,
        );
    },
    look: async (ids) =>
      read(
        await ask("POST", path, {
          size: ids.length,
          _source: source,
          query: { ids: { values: ids } },
        }),
      ),
  };
}

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
