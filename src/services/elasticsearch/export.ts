import pLimit from "p-limit";
import { describeError, OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import type {
  BackupWarning,
  DriverOptions,
  DumpOptions,
  DumpOutcome,
  DumpPlan,
  PartSink,
} from "../backup-driver.ts";
import type { Fact, SetContent } from "../set-content.ts";
import { encodePartName } from "../part-name.ts";
import { type Cluster, withCluster } from "./cluster.ts";
import {
  awaitShards,
  countDocuments,
  type FoundIndex,
  isOfIndex,
  isThere,
  listIndices,
  readState,
  refresh,
  refuseNothing,
} from "./indices.ts";
import { joinTallies, type Tally } from "./lay-out-page.ts";
import { type IndexReader, openReader, ReadCutOff } from "./read-slices.ts";
import { DEFINITIONS, saveDefinitions, saveIndices } from "./save-definitions.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { ElasticsearchJob } from "./settings.ts";

/** How often a slice is read whose reading was cut off. */
const TRIES = 3;

/** Given a job with `elasticsearch.way` export, return what its set would hold. Throws `failed` where that is nothing. */
export function planExport(
  place: ServicePlace,
  options: DriverOptions<ElasticsearchJob>,
): Promise<DumpPlan> {
  return withCluster(place, options, async (cluster) => {
    const indices = await listIndices(cluster, options.job.elasticsearch?.indices);
    refuseNothing(cluster, indices);
    return {
      objects: [
        { name: DEFINITIONS },
        ...indices.map(({ name, bytes }) => ({ name, estimatedBytes: bytes })),
      ],
    };
  });
}

/** What became of an index. */
type Outcome = { fact: Fact } | { skipped: string } | { isRemoved: true };

/**
 * Given a job with `elasticsearch.way` export and the objects of its plan, write the documents of each index into parts, as lines that `_bulk` takes.
 * What has not changed since the earlier set is referred to. An index that cannot be read whole makes the set incomplete; one that was removed does not.
 */
export function exportIndices(
  place: ServicePlace,
  plan: DumpPlan,
  sink: PartSink,
  options: DumpOptions<ElasticsearchJob>,
): Promise<DumpOutcome> {
  return withCluster(place, options, async (cluster) => {
    const at = new Date().toISOString();
    const planned = new Set(plan.objects.map(({ name }) => name));
    const listed = await listIndices(cluster, options.job.elasticsearch?.indices);
    const indices = listed.filter(({ name }) => planned.has(name));
    await saveDefinitions(cluster, sink);
    await saveIndices(cluster, indices, sink);
    const earlier = await options.earlier();
    const limit = pLimit(options.parallel);
    const outcomes = new Map<string, Outcome>();
    const names = new Set(indices.map(({ name }) => name));
    for (const name of planned)
      if (name !== DEFINITIONS && !names.has(name)) outcomes.set(name, { isRemoved: true });
    const done = { indices: 0, documents: 0 };
    await Promise.all(
      indices.map((index) =>
        limit(async () => {
          options.signal.throwIfAborted();
          const outcome = await exportIndex(cluster, index, earlier, sink, options);
          outcomes.set(index.name, outcome);
          done.indices++;
          if ("fact" in outcome) done.documents += outcome.fact.rows ?? 0;
          options.update(`${done.indices} of ${indices.length} indices`);
        }),
      ),
    );
    return describeOutcome(cluster, at, outcomes);
  });
}

async function exportIndex(
  cluster: Cluster,
  index: FoundIndex,
  earlier: SetContent | undefined,
  sink: PartSink,
  options: DumpOptions,
): Promise<Outcome> {
  const { name } = index;
  const obstacle = findObstacle(index);
  if (obstacle !== undefined) return { skipped: obstacle };
  try {
    const before = await readState(cluster, name);
    const known = before === undefined ? undefined : findUnchanged(earlier, name, before);
    if (known && earlier) {
      for (const part of known.parts) sink.refer(part, earlier);
      options.trace(`${name}: unchanged since ${earlier.setId}`);
      return { fact: known.fact };
    }
    // What was written between the last refresh and the state must be seen too, or it would never be read.
    await refresh(cluster, name);
    const reader = await openReader(cluster, name, index.shards);
    // All of them must have ended before it is said what became of the index.
    const slices = await Promise.allSettled(
      Array.from({ length: reader.slices }, (_, slice) =>
        writeSlice(cluster, name, reader, slice, sink, options),
      ),
    );
    await reader.close();
    const failed = slices.find((slice) => slice.status === "rejected");
    if (failed) throw failed.reason;
    const whole = joinTallies(reader.tallies);
    const after = await readState(cluster, name);
    // While nothing changed, all that there was must have come.
    if (before === undefined || after !== before) return { fact: describeFact(name, whole) };
    const count = await countDocuments(cluster, name);
    if (count !== whole.documents)
      return { skipped: `${countOf(whole.documents, "document")} came, and it has ${count}` };
    return { fact: { ...describeFact(name, whole), state: before } };
  } catch (error) {
    options.signal.throwIfAborted();
    // Neither a destination's failure nor a cluster that is gone is the index's own.
    if (!isOfIndex(error) || isUnreachable(error)) throw error;
    if (!(await isThere(cluster, name))) return { isRemoved: true };
    return { skipped: describeError(error).replace(`${name}: `, "") };
  }
}

const isUnreachable = (error: unknown): boolean =>
  error instanceof OperatorError &&
  (error.kind === "unreachable" || error.kind === "access" || isUnreachable(error.cause));

function findObstacle({ isOpen, isWhole, stream }: FoundIndex): string | undefined {
  if (stream !== undefined)
    return `it belongs to the data stream ${stream}, which snapshots can save, and exports cannot`;
  if (!isOpen) return "it is closed, and cannot be read";
  return isWhole ? undefined : "it is red: some of its shards are missing";
}

/** Its fact and its parts, where the earlier set has the very state. */
function findUnchanged(
  earlier: SetContent | undefined,
  index: string,
  state: string,
): { fact: Fact; parts: SetContent["parts"] } | undefined {
  const fact = earlier?.facts.find(({ object }) => object === index);
  if (!earlier || fact?.state !== state) return undefined;
  const isSkipped = earlier.skipped.some(({ object }) => object === index);
  const parts = earlier.parts.filter(({ object }) => object === index);
  return isSkipped || parts.length === 0 ? undefined : { fact, parts };
}

async function writeSlice(
  cluster: Cluster,
  index: string,
  reader: IndexReader,
  slice: number,
  sink: PartSink,
  options: DumpOptions,
): Promise<void> {
  const number = String(slice).padStart(4, "0");
  const path = `elasticsearch/indices/${encodePartName(index)}/${number}.ndjson`;
  const part = { path, object: index, role: "documents", seq: slice };
  await tryAgain(cluster, index, options, async () => {
    await sink.write(part, reader.read(slice));
  });
}

/** What reads a slice is called again where its reading was cut off, once its shards are there. */
async function tryAgain(
  cluster: Cluster,
  index: string,
  { signal, trace }: Pick<DriverOptions, "signal" | "trace">,
  readSlice: () => Promise<void>,
): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await readSlice();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ReadCutOff) || tried === TRIES) throw error;
      trace(`${error.message}; it is read anew`);
      await awaitShards(cluster, index);
      signal.throwIfAborted();
    }
  }
}

function describeFact(object: string, { documents, sum }: Tally): Fact {
  return {
    object,
    rows: documents,
    checksum: `sha256-xor of ${documents} documents:${sum.toString("hex")}`,
  };
}

/** Given an index that was restored, return its fact, every document read. */
export async function measureIndex(
  cluster: Cluster,
  { name, shards }: Pick<FoundIndex, "name" | "shards">,
  object: string,
  options: Pick<DriverOptions, "signal" | "trace">,
): Promise<Fact> {
  await refresh(cluster, name);
  const reader = await openReader(cluster, name, shards);
  try {
    for (let slice = 0; slice < reader.slices; slice++)
      await tryAgain(cluster, name, options, async () => {
        for await (const _ of reader.read(slice)) continue;
      });
  } finally {
    await reader.close();
  }
  return describeFact(object, joinTallies(reader.tallies));
}

function describeOutcome(
  cluster: Cluster,
  at: string,
  outcomes: ReadonlyMap<string, Outcome>,
): DumpOutcome {
  const facts: Fact[] = [];
  const skipped: { object: string; reason: string }[] = [];
  const removed: string[] = [];
  for (const [object, outcome] of outcomes) {
    if ("fact" in outcome) facts.push(outcome.fact);
    else if ("skipped" in outcome) skipped.push({ object, reason: outcome.skipped });
    else removed.push(object);
  }
  if (facts.length === 0) {
    const [first] = skipped;
    const why = first ? `${first.object}: ${first.reason}` : "every index was removed meanwhile";
    throw new OperatorError("failed", `${cluster.name}: no index could be read; ${why}`);
  }
  const live = facts.filter(({ state }) => state === undefined).length;
  return {
    consistency: {
      level: "per-object",
      at,
      proof: { indices: facts.length, written: live, reading: cluster.reading },
    },
    source: { engine: cluster.product, version: cluster.version, serverId: cluster.uuid },
    facts: facts.toSorted((one, other) => (one.object < other.object ? -1 : 1)),
    skipped,
    removed,
    warnings: removed.map((object): BackupWarning => ({
      code: "INDEX_REMOVED",
      object,
      detail: "it was removed while the set was made, and is not in it",
    })),
  };
}
