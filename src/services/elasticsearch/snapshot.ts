import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import type {
  BackupWarning,
  DriverOptions,
  DumpOptions,
  DumpOutcome,
  DumpPlan,
  PartSink,
} from "../backup-driver.ts";
import { type Cluster, PASSING, RefusedRequest, withCluster } from "./cluster.ts";
import { type FoundIndex, isThere, listIndices, refuseNothing } from "./indices.ts";
import {
  findSnapshot,
  PATIENCE_MS,
  pathOf,
  referenceTo,
  type Snapshot,
  THINKING,
} from "./kept-snapshots.ts";
import { checkRepository, openRepository } from "./repository.ts";
import { factsBetween, lookAt } from "./sample.ts";
import { saveDefinitions } from "./save-definitions.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { ElasticsearchJob } from "./settings.ts";

const POLL_MS = { first: 250, longest: 10_000 };
/** What takes longer will not come. */
const FOLLOW_LIMIT_MS = 6 * 3_600_000;
/** How often it is begun anew because an index was removed before it had begun. */
const TRIES = 3;

/** Given a job without `elasticsearch.way`, return what its snapshot would hold. Throws `configuration` where there is no repository. */
export function planSnapshot(
  place: ServicePlace,
  options: DriverOptions<ElasticsearchJob>,
): Promise<DumpPlan> {
  return withCluster(place, options, async (cluster) => {
    await checkRepository(cluster, options.job);
    const indices = await listIndices(cluster, options.job.elasticsearch?.indices);
    refuseNothing(cluster, indices);
    return { objects: indices.map(({ name, bytes }) => ({ name, estimatedBytes: bytes })) };
  });
}

/**
 * Given a job without `elasticsearch.way` and the objects of its plan, take a snapshot of them and follow it to its end, with templates, aliases and
 * pipelines as parts beside it. Where that fails or is stopped, the snapshot is removed; indices that it has not whole make the set incomplete.
 */
export function takeSnapshot(
  place: ServicePlace,
  plan: DumpPlan,
  sink: PartSink,
  options: DumpOptions<ElasticsearchJob>,
): Promise<DumpOutcome> {
  return withCluster(place, options, async (cluster) => {
    const { job, setId } = options;
    await openRepository(cluster, job);
    const planned = new Set(plan.objects.map(({ name }) => name));
    const list = async (): Promise<FoundIndex[]> =>
      (await listIndices(cluster, job.elasticsearch?.indices)).filter(({ name }) =>
        planned.has(name),
      );
    const indices = await list();
    await saveDefinitions(cluster, sink);
    options.update("looking at the indices");
    const looks = await lookAt(
      cluster,
      indices.filter(({ isOpen, isWhole }) => isOpen && isWhole),
    );
    const path = pathOf(referenceTo(setId, options));
    try {
      const wanted = await beginSnapshot(cluster, path, list, options);
      const snapshot = await followSnapshot(cluster, path, options);
      const verdicts = await judgeIndices(cluster, planned, wanted, snapshot);
      const good = looks.filter(({ index }) => !verdicts.has(index));
      const facts = await factsBetween(cluster, good, sink);
      return await describeOutcome(cluster, path, { snapshot, verdicts, facts, options });
    } catch (error) {
      if (!(error instanceof NotBegun)) await cluster.release("DELETE", path);
      throw error;
    }
  });
}

/** Nothing was begun, or what has its name is another's: there is nothing to take back. */
class NotBegun extends OperatorError {}

/**
 * Given what to name, begin a snapshot and return the indices that it must hold. One that is under way already is waited for. Where it is not known whether
 * it was begun it is looked for, and begun again where it is not there: by its name there cannot be two.
 */
async function beginSnapshot(
  cluster: Cluster,
  path: string,
  list: () => Promise<FoundIndex[]>,
  { job, setId, signal, trace, update }: DumpOptions,
): Promise<string[]> {
  const began = performance.now();
  let mayStand = false;
  for (let [tried, pause] = [1, POLL_MS.first]; ; pause = Math.min(pause * 2, POLL_MS.longest)) {
    const whole = (await list()).filter(({ isWhole }) => isWhole);
    if (whole.length === 0)
      throw new NotBegun("failed", `${cluster.name} has no index that is whole`, {
        next: "see _cluster/health of the cluster",
      });
    const body = {
      // A stream of data with its indices, by its own name.
      indices: [...new Set(whole.map(({ name, stream }) => stream ?? name))].join(","),
      ignore_unavailable: false,
      include_global_state: false,
      partial: false,
      metadata: { lcops: setId, service: job.service },
    };
    try {
      await cluster.ask("PUT", `${path}?wait_for_completion=false`, body, { patienceMs: 0 });
      return whole.map(({ name }) => name);
    } catch (error) {
      signal.throwIfAborted();
      const refusal =
        error instanceof RefusedRequest && !PASSING.has(error.status) ? error : undefined;
      const isNameTaken = refusal?.type === "invalid_snapshot_name_exception";
      mayStand ||= !refusal;
      if (!refusal || (mayStand && isNameTaken)) {
        trace(`${path}: whether it has begun is not known; it is looked for`);
        const found = await findSnapshot(cluster, path);
        if (found?.metadata?.lcops === setId) return whole.map(({ name }) => name);
      }
      const isRemoved = refusal?.status === 404 && refusal.type === "index_not_found_exception";
      const mayTry = refusal
        ? isRemoved && tried++ < TRIES
        : performance.now() - began < PATIENCE_MS;
      if (!mayTry) {
        if (!refusal || (mayStand && !isNameTaken)) throw error;
        throw new NotBegun(refusal.kind, refusal.message, { cause: refusal });
      }
      update("waiting for another snapshot");
      await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** By its name, until it has ended: its `_status` has called partial ones successful (elastic/elasticsearch#28692). */
async function followSnapshot(
  cluster: Cluster,
  path: string,
  { signal, update }: DumpOptions,
): Promise<Snapshot> {
  const began = performance.now();
  for (let pause = POLL_MS.first; ; pause = Math.min(pause * 2, POLL_MS.longest)) {
    const snapshot = await findSnapshot(cluster, path);
    const fail = (what: string): never => {
      throw new OperatorError("failed", `the snapshot ${path.split("/").at(-1)} ${what}`);
    };
    if (!snapshot) return fail("is gone, or was never begun");
    if (snapshot.state === "FAILED" || snapshot.state === "INCOMPATIBLE")
      return fail(`has failed: ${snapshot.reason ?? snapshot.failures?.[0]?.reason ?? ""}`);
    if (snapshot.state === "SUCCESS" || snapshot.state === "PARTIAL") return snapshot;
    if (performance.now() - began > FOLLOW_LIMIT_MS)
      return fail(`had not ended after ${FOLLOW_LIMIT_MS / 3_600_000} hours`);
    const { successful = 0, total = 0 } = snapshot.shards ?? {};
    update(`the snapshot is ${snapshot.state}, ${successful} of ${total} shards`);
    await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** What of the plan the snapshot has not whole, and why; `removed` where it is not there any more. */
async function judgeIndices(
  cluster: Cluster,
  planned: ReadonlySet<string>,
  wanted: readonly string[],
  { state, indices, shards, failures = [] }: Snapshot,
): Promise<Map<string, { skipped: string } | "removed">> {
  const verdicts = new Map<string, { skipped: string } | "removed">();
  const there = new Set(indices);
  const begun = new Set(wanted);
  for (const { index, reason } of failures) verdicts.set(index, { skipped: reason });
  for (const name of planned) {
    if (there.has(name)) continue;
    const reason = begun.has(name)
      ? "it is not in the snapshot"
      : "it is red: some of its shards are missing";
    verdicts.set(name, (await isThere(cluster, name)) ? { skipped: reason } : "removed");
  }
  // What it does not name it may not hide.
  const isAll = state === "SUCCESS" && shards?.failed === 0 && shards.successful === shards.total;
  if (!isAll && failures.length === 0)
    throw new OperatorError(
      "failed",
      `the snapshot is ${state}, with ${shards?.successful ?? "?"} of ${shards?.total ?? "?"} shards`,
    );
  return verdicts;
}

async function describeOutcome(
  cluster: Cluster,
  path: string,
  made: {
    snapshot: Snapshot;
    verdicts: ReadonlyMap<string, { skipped: string } | "removed">;
    facts: DumpOutcome["facts"];
    options: DumpOptions;
  },
): Promise<DumpOutcome> {
  const { snapshot, verdicts, facts, options } = made;
  const { snapshots: [status] = [] } = await cluster.ask<{
    snapshots?: {
      stats?: Record<"incremental" | "total", { size_in_bytes: number } | undefined>;
    }[];
  }>("GET", `${path}/_status`, undefined, THINKING);
  const added = status?.stats?.incremental?.size_in_bytes ?? 0;
  const total = status?.stats?.total?.size_in_bytes ?? 0;
  const removed = [...verdicts].flatMap(([name, verdict]) => (verdict === "removed" ? name : []));
  return {
    consistency: {
      level: "per-object",
      at: snapshot.start_time ?? new Date().toISOString(),
      proof: { state: snapshot.state, shards: snapshot.shards?.total ?? 0, addedBytes: added },
    },
    source: { engine: cluster.product, version: cluster.version, serverId: cluster.uuid },
    facts,
    skipped: [...verdicts].flatMap(([object, verdict]) =>
      verdict === "removed" ? [] : { object, reason: verdict.skipped },
    ),
    removed,
    warnings: removed.map((object): BackupWarning => ({
      code: "INDEX_REMOVED",
      object,
      detail: "it was removed before the snapshot, and is not in it",
    })),
    external: {
      ...referenceTo(options.setId, options),
      isRestorable: true,
      bytes: { added, total },
    },
  };
}
