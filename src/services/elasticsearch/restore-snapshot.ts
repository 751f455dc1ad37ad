import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions, ServicePlace } from "../backup-driver.ts";
import type { ExternalReference, SetReader } from "../set-content.ts";
import { asPath, type Cluster, isNotThere, REPOSITORY_SILENCE_MS, withCluster } from "./cluster.ts";
import { pathOf } from "./kept-snapshots.ts";
import { findReplaced, isDrill, pickTargets, type Target } from "./plan-restore.ts";
import { putBackAliases, putBackDefinitions, readStreams } from "./put-back.ts";

const POLL_MS = { first: 250, longest: 5_000 };
const FOLLOW_LIMIT_MS = 6 * 3_600_000;

/** What would move, shrink or remove an index of a drill, or have it taken for a live one. */
const NOT_IN_DRILLS = [
  "index.lifecycle.*",
  "index.plugins.index_state_management.*",
  "index.opendistro.index_state_management.*",
  "index.blocks.*",
  "index.default_pipeline",
  "index.final_pipeline",
];

/** Given a set of a snapshot, have the cluster restore its indices, and follow that to its end. Aliases are put back where no other index has them. */
export function restoreSnapshot(
  set: SetReader,
  reference: ExternalReference,
  place: ServicePlace,
  options: RestoreOptions,
): Promise<void> {
  return withCluster(place, options, async (cluster) => {
    const targets = pickTargets(set, place, options.only);
    const path = pathOf(reference);
    await refuseAbsent(cluster, reference, path);
    for (const name of await findReplaced(cluster, targets))
      await cluster.ask("DELETE", asPath(name));
    const isOwn = place.within === undefined;
    const isWhole = isOwn && options.only === undefined;
    if (isWhole) await putBackDefinitions(cluster, set, options);
    // By its own name a data stream is one again; its indices alone would be indices.
    const streams = isWhole ? await readStreams(set) : new Map<string, string>();
    await cluster.ask(
      "POST",
      `${path}/_restore?wait_for_completion=false`,
      {
        indices: [...new Set(targets.map(({ index }) => streams.get(index) ?? index))].join(","),
        ignore_unavailable: false,
        include_global_state: false,
        include_aliases: false,
        ...(!isOwn && { rename_pattern: "(.+)", rename_replacement: `${place.within}$1` }),
        ...(isDrill(place) && {
          index_settings: { "index.number_of_replicas": 0 },
          ignore_index_settings: NOT_IN_DRILLS,
        }),
      },
      { patienceMs: 0 },
    );
    await followRestore(cluster, targets, options);
    if (isOwn)
      await putBackAliases(
        cluster,
        set,
        targets.map(({ name }) => name),
        options,
      );
  });
}

/** Before anything is removed for it. */
async function refuseAbsent(
  cluster: Cluster,
  { id }: ExternalReference,
  path: string,
): Promise<void> {
  try {
    await cluster.ask("GET", `${path}/_status`, undefined, {
      silenceMs: REPOSITORY_SILENCE_MS,
    });
  } catch (error) {
    if (!isNotThere(error)) throw error;
    throw new OperatorError("failed", `${cluster.name} does not see the snapshot ${id}`, {
      next: `register the repository ${id.split("/")[0]} there, as readonly where another cluster writes to it`,
      cause: error,
    });
  }
}

async function followRestore(
  cluster: Cluster,
  targets: readonly Target[],
  { signal, update }: RestoreOptions,
): Promise<void> {
  const began = performance.now();
  const names = new Set(targets.map(({ name }) => name));
  for (let pause = POLL_MS.first; ; pause = Math.min(pause * 2, POLL_MS.longest)) {
    const rows = await cluster.ask<Record<string, string | null>[]>(
      "GET",
      "/_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason,unassigned.details",
    );
    const primaries = rows.filter((row) => names.has(row["index"] ?? "") && row["prirep"] === "p");
    const failed = primaries.find((row) => row["unassigned.reason"] === "ALLOCATION_FAILED");
    if (failed && failed["state"] === "UNASSIGNED")
      throw new OperatorError(
        "failed",
        `${failed["index"]}: shard ${failed["shard"]} was not restored: ${failed["unassigned.details"] ?? ""}`,
      );
    const started = primaries.filter(({ state }) => state === "STARTED");
    const there = new Set(primaries.map((row) => row["index"]));
    if (there.size === names.size && started.length === primaries.length) return;
    if (performance.now() - began > FOLLOW_LIMIT_MS)
      throw new OperatorError(
        "failed",
        `it was not restored after ${FOLLOW_LIMIT_MS / 3_600_000} hours`,
      );
    update(`${started.length} of ${primaries.length} shards restored`);
    await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
