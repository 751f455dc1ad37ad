import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions, ServicePlace } from "../backup-driver.ts";
import type { ExternalReference, SetReader } from "../set-content.ts";
import { type Cluster, isNotThere, REPOSITORY_SILENCE_MS, withCluster } from "./cluster.ts";
import { followRestore } from "./follow-restore.ts";
import { pathOf } from "./kept-snapshots.ts";
import { makeRoom } from "./make-room.ts";
import { isDrill, pickTargets } from "./plan-restore.ts";
import { putBackAliases, putBackDefinitions, readStreams } from "./put-back.ts";

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
    const shards = await countShards(cluster, reference, path);
    const isOwn = place.within === undefined;
    const isWhole = isOwn && options.only === undefined;
    if (isWhole) await putBackDefinitions(cluster, set, options);
    // By its own name a data stream is one again; its indices alone would be indices.
    const streams = isWhole ? await readStreams(set) : new Map<string, string>();
    const { giveBack } = await makeRoom(cluster, targets, (index) => shards.get(index));
    const request = `${path}/_restore?wait_for_completion=false`;
    await cluster
      .ask(
        "POST",
        request,
        {
          indices: [...new Set(targets.map(({ index }) => streams.get(index) ?? index))].join(","),
          ignore_unavailable: false,
          include_global_state: false,
          include_aliases: false,
          ...(!isOwn && { rename_pattern: "(.+)", rename_replacement: `${place.within}$1` }),
          ...(isDrill(place) && {
            index_settings: { "index.number_of_replicas": 0, "index.hidden": true },
            ignore_index_settings: [
              ...NOT_IN_DRILLS,
              // Names of nodes that another cluster has not.
              ...(cluster.uuid === set.source.serverId ? [] : ["index.routing.allocation.*"]),
            ],
          }),
        },
        { patienceMs: 0 },
      )
      .catch(giveBack);
    await followRestore(cluster, new Set(targets.map(({ name }) => name)), options);
    if (isOwn)
      await putBackAliases(
        cluster,
        set,
        targets.map(({ name }) => name),
        options,
      );
  });
}

/** How many shards each index of a snapshot has. Throws `failed` where the cluster does not see it. */
async function countShards(
  cluster: Cluster,
  { id }: ExternalReference,
  path: string,
): Promise<Map<string, number>> {
  try {
    const { snapshots: [snapshot] = [] } = await cluster.ask<{
      snapshots?: { indices: Record<string, { shards_stats: { total: number } }> }[];
    }>("GET", `${path}/_status`, undefined, { silenceMs: REPOSITORY_SILENCE_MS });
    return new Map(
      Object.entries(snapshot?.indices ?? {}).map(([name, one]) => [name, one.shards_stats.total]),
    );
  } catch (error) {
    if (!isNotThere(error)) throw error;
    throw new OperatorError("failed", `${cluster.name} does not see the snapshot ${id}`, {
      next: `register the repository ${id.split("/")[0]} there, as readonly where another cluster writes to it`,
      cause: error,
    });
  }
}
