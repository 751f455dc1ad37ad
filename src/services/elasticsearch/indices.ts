import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { asPath, type Cluster, isRefusedForIndex, RefusedRequest } from "./cluster.ts";

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
/** The same of those that a restore fills before they take another's place. */
export const ASIDE_PREFIX = "lcops_restore_";
const OWN = [DRILL_PREFIX, ASIDE_PREFIX];

/** Given a cluster and patterns (absent: all without a dot in front), return its indices, by name. */
export async function listIndices(
  cluster: Cluster,
  patterns?: readonly string[],
  { withOwn = false } = {},
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
        (withOwn || !OWN.some((prefix) => name.startsWith(prefix))) && isWanted(stream ?? name),
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
  seq_no?: { max_seq_no: number; global_checkpoint: number };
}

/** Something is the matter with one index, which says nothing of the others. */
export class IndexTrouble extends OperatorError {}

/** Given anything that was thrown, return whether it is the matter of one index alone. Pure. */
export const isOfIndex = (error: unknown): boolean =>
  error instanceof IndexTrouble || isRefusedForIndex(error);

/** Given an index, have searches see all that was written to it, in every shard. */
export async function refresh(cluster: Cluster, index: string): Promise<void> {
  await askEachShard(cluster, "POST", index, "_refresh");
}

/** How often shards are asked that do not answer. */
const TRIES = 3;

/** A shard that moves, or whose node starts again, is waited for: without it, it would seem that there are fewer documents. */
async function askEachShard<T>(
  cluster: Cluster,
  method: "GET" | "POST",
  index: string,
  question: "_refresh" | "_count",
): Promise<T> {
  for (let tried = 1; ; tried++) {
    const answer = await cluster.ask<T & { _shards: { failed: number } }>(
      method,
      `${asPath(index)}/${question}`,
    );
    const { failed } = answer._shards;
    if (failed === 0) return answer;
    if (tried === TRIES)
      throw new IndexTrouble(
        "failed",
        `${index}: ${countOf(failed, "shard does", "shards do")} not answer to ${question}`,
      );
    await awaitShards(cluster, index);
  }
}

/** Given an index, wait until its shards are there, half a minute at most: that they are not is seen when it is read. */
export async function awaitShards(cluster: Cluster, index: string): Promise<void> {
  await cluster
    .ask("GET", `/_cluster/health${asPath(index)}?wait_for_status=yellow&timeout=30s`)
    .catch(() => undefined);
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
      // What every copy has is not taken back when another becomes the primary, so that its number is not given again.
      const { max_seq_no: last, global_checkpoint: done } = primary?.seq_no ?? {};
      return last !== undefined && done === last ? `${primary?.docs.count}/${last}` : undefined;
    });
  if (uuid === undefined || states.length === 0 || states.includes(undefined)) return undefined;
  return `${uuid} ${states.join(" ")}`;
}

/** Given an index, return how many documents it has, all shards heard. */
export async function countDocuments(cluster: Cluster, index: string): Promise<number> {
  const { count } = await askEachShard<{ count: number }>(cluster, "GET", index, "_count");
  return count;
}

/** Given an index, return whether it is there. */
export async function isThere(cluster: Cluster, index: string): Promise<boolean> {
  const found = await cluster.ask<object>(
    "GET",
    `${asPath(index)}/_settings?ignore_unavailable=true&expand_wildcards=all`,
  );
  return Object.keys(found).length > 0;
}
