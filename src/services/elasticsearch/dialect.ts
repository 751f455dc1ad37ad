/** What differs between the servers that speak this protocol. */
export interface Dialect {
  product: "elasticsearch" | "opensearch";
  version: string;
  /** How documents are read at one moment of an index: a point in time with a tiebreaker of its own, or a scroll. */
  reading: "elasticsearch-pit" | "opensearch-pit" | "scroll";
}

/** Given what a server says at `/`, return how it is spoken to; undefined where it is unknown. Pure. */
export function readDialect(found: {
  version?: { number?: string; distribution?: string };
}): Dialect | undefined {
  const version = found.version?.number ?? "";
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const at = Number(major) * 1000 + Number(minor);
  if (found.version?.distribution === "opensearch") {
    if (at < 1000 || at >= 4000) return undefined;
    // Its points in time are older, from 2.4, but `_shard_doc` came with 3.3: before, search_after loses documents of equal sort values.
    return { product: "opensearch", version, reading: at >= 3003 ? "opensearch-pit" : "scroll" };
  }
  // Before 7.7 its lists do not know the words that this asks with.
  if (at < 7007 || at >= 10_000) return undefined;
  // Elasticsearch reference 7.12, "Paginate search results": `_shard_doc`.
  return {
    product: "elasticsearch",
    version,
    reading: at >= 7012 ? "elasticsearch-pit" : "scroll",
  };
}
