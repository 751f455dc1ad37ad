import { OperatorError } from "../../system/errors.ts";
import { asPath, type Cluster, RefusedRequest } from "./cluster.ts";

/** An index, as the cluster lists it. */
export interface FoundIndex {
  name: string;
  isOpen: boolean;
  /** Not a shard of it is missing. */
  isWhole: boolean;
  shards: number;
  docs: number;
  bytes: number;
  /** It belongs to a data stream. */
  stream?: string;
}

/** What indices of drills begin with; they are nobody's data. */
export const DRILL_PREFIX = "lcops_drill_";

/** Given a cluster and patterns (absent: all without a dot in front), return its indices, by name. */
export async function listIndices(
  cluster: Cluster,
  patterns?: readonly string[],
  { withDrills = false } = {},
): Promise<FoundIndex[]> {
  const columns = "index,health,status,pri,docs.count,pri.store.size";
  const rows = await cluster.ask<Record<string, string | null>[]>(
    "GET",
    `/_cat/indices?format=json&bytes=b&expand_wildcards=all&h=${columns}`,
  );
  const streams = await listStreams(cluster);
  const isWanted = makeMatcher(patterns);
  return rows
    .map((row) => ({
      name: row["index"] ?? "",
      isOpen: row["status"] === "open",
      isWhole: row["health"] !== "red",
      shards: Number(row["pri"] ?? 1),
      docs: Number(row["docs.count"] ?? 0),
      bytes: Number(row["pri.store.size"] ?? 0),
    }))
    .map((index): FoundIndex => {
      const stream = streams.get(index.name);
      return stream === undefined ? index : { ...index, stream };
    })
    .filter(
      ({ name, stream }) =>
        (withDrills || !name.startsWith(DRILL_PREFIX)) && isWanted(stream ?? name),
    )
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

export interface StreamsAnswer {
  data_streams?: { name: string; indices: { index_name: string }[] }[];
}

/** Given a cluster, return which index belongs to which data stream. */
export async function listStreams(cluster: Cluster): Promise<Map<string, string>> {
  return streamsByIndex(
    await cluster.ask<StreamsAnswer>("GET", "/_data_stream").catch((error: unknown) => {
      // Editions that have none do not know the word.
      if (error instanceof RefusedRequest && UNKNOWN.has(error.status)) return {};
      throw error;
    }),
  );
}

/** Given what a cluster says of its data streams, return which index belongs to which. Pure. */
export function streamsByIndex({ data_streams = [] }: StreamsAnswer): Map<string, string> {
  return new Map(
    data_streams.flatMap(({ name, indices }) =>
      indices.map(({ index_name }) => [index_name, name] as const),
    ),
  );
}

/** What a server says to a word that it does not know. */
export const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405]);

function makeMatcher(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (!patterns) return (name) => !name.startsWith(".");
  const expressions = patterns.map((pattern) => {
    const parts = pattern
      .split("*")
      .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join(".*")}$`, "s");
  });
  return (name) => expressions.some((expression) => expression.test(name));
}

/** Given what a job would back up, throw `failed` where that is nothing: a set of nothing would pass for a backup. */
export function refuseNothing(cluster: Cluster, indices: readonly FoundIndex[]): void {
  if (indices.length > 0) return;
  throw new OperatorError("failed", `${cluster.name} has no index that the job names`, {
    next: "see elasticsearch.indices of the job, and _cat/indices of the cluster",
  });
}

/** What of an index says that it has changed. */
interface ShardStats {
  routing: { primary: boolean };
  docs: { count: number };
  seq_no?: { max_seq_no: number; local_checkpoint: number };
}

/** Given an index, have searches see all that was written to it. */
export async function refresh(cluster: Cluster, index: string): Promise<void> {
  await cluster.ask("POST", `${asPath(index)}/_refresh`);
}

/**
 * Given an index, return its state: which index it is, its documents and the last operation of each shard. Each write, update and deletion has a number of
 * its own: while the state is the same, nothing has changed, and a search behind a refresh behind it sees all of it. Undefined where the cluster does not
 * say, or an operation is under way.
 */
export async function readState(cluster: Cluster, index: string): Promise<string | undefined> {
  // Of the documents it counts those that searches see.
  await refresh(cluster, index);
  const { indices } = await cluster.ask<{
    indices: Record<string, { uuid?: string; shards?: Record<string, ShardStats[]> }>;
  }>("GET", `${asPath(index)}/_stats/docs?level=shards&expand_wildcards=all`);
  const { uuid, shards = {} } = indices[index] ?? {};
  const states = Object.entries(shards)
    .toSorted(([one], [other]) => Number(one) - Number(other))
    .map(([, copies]) => {
      const primary = copies.find(({ routing }) => routing.primary);
      const { max_seq_no: last, local_checkpoint: done } = primary?.seq_no ?? {};
      return last !== undefined && done === last ? `${primary?.docs.count}/${last}` : undefined;
    });
  if (uuid === undefined || states.length === 0 || states.includes(undefined)) return undefined;
  return `${uuid} ${states.join(" ")}`;
}

/** Given an index, return how many documents it has, all shards heard. */
export async function countDocuments(cluster: Cluster, index: string): Promise<number> {
  const { count, _shards } = await cluster.ask<{
    count: number;
    _shards: { failed: number };
  }>("GET", `${asPath(index)}/_count`);
  if (_shards.failed === 0) return count;
  throw new OperatorError("failed", `${index}: ${_shards.failed} shards do not answer`);
}

/** Given an index, return whether it is there. */
export async function isThere(cluster: Cluster, index: string): Promise<boolean> {
  const found = await cluster.ask<object>(
    "GET",
    `${asPath(index)}/_settings?ignore_unavailable=true&expand_wildcards=all`,
  );
  return Object.keys(found).length > 0;
}
