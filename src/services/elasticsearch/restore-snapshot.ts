import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions } from "../backup-driver.ts";
import type { ExternalReference, SetReader } from "../set-content.ts";
import { asPath, type Cluster, isNotThere, REPOSITORY_SILENCE_MS, withCluster } from "./cluster.ts";
import { followRestore } from "./follow-restore.ts";
import { ASIDE_PREFIX } from "./indices.ts";
import { pathOf } from "./kept-snapshots.ts";
import { closeAll, findRoom } from "./make-room.ts";
import { isDrill, pickTargets, type Target } from "./plan-restore.ts";
import { putBackAliases, putBackDefinitions, readStreams } from "./put-back.ts";
import { asidePrefix, listAsides, putInPlace } from "./put-in-place.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

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
    const { within = "" } = place;
    const begin = (some: readonly Target[], prefix: string): Promise<unknown> => {
      const indices = some.map(({ index }) => streams.get(index) ?? index);
      return cluster.ask(
        "POST",
        `${path}/_restore?wait_for_completion=false`,
        {
          indices: [...new Set(indices)].join(","),
          ignore_unavailable: false,
          include_global_state: false,
          include_aliases: false,
          ...(prefix !== "" && { rename_pattern: "(.+)", rename_replacement: `${prefix}$1` }),
          ...settingsFor(place, prefix, cluster.uuid !== set.source.serverId),
        },
        { patienceMs: 0 },
      );
    };
    // Of restores that were killed: they are begun anew.
    for (const left of await listAsides(cluster, new Set(targets.map(({ name }) => name))))
      await cluster.ask("DELETE", asPath(left));
    const { over, open, aside } = await findRoom(cluster, targets, (index) => shards.get(index));
    const before = asidePrefix(set.setId);
    await restoreAside(
      cluster,
      aside.map(({ name }) => name),
      before,
      () => begin(aside, before + within),
      options,
    );
    if (over.length > 0) {
      const { giveBack } = await closeAll(cluster, open);
      await begin(over, within).catch(giveBack);
      await followRestore(cluster, new Set(over.map(({ name }) => name)), options);
    }
    for (const { name } of aside) await putInPlace(cluster, before + name, name);
    if (isOwn)
      await putBackAliases(
        cluster,
        set,
        targets.map(({ name }) => name),
        options,
      );
  });
}

/** What stands by these names is not touched before the cluster has restored all of them under others. */
async function restoreAside(
  cluster: Cluster,
  names: readonly string[],
  prefix: string,
  begin: () => Promise<unknown>,
  options: RestoreOptions,
): Promise<void> {
  if (names.length === 0) return;
  const asides = names.map((name) => prefix + name);
  try {
    await begin();
    await followRestore(cluster, new Set(asides), options);
  } catch (error) {
    for (const name of asides) await cluster.release("DELETE", asPath(name));
    throw error;
  }
}

/** Of drills, and of what is restored aside: searches of all indices do not see it. */
function settingsFor(place: ServicePlace, prefix: string, isElsewhere: boolean): object {
  if (prefix.startsWith(ASIDE_PREFIX)) return { index_settings: { "index.hidden": true } };
  if (!isDrill(place)) return {};
  return {
    index_settings: { "index.number_of_replicas": 0, "index.hidden": true },
    ignore_index_settings: [
      ...NOT_IN_DRILLS,
      // Names of nodes that another cluster has not.
      ...(isElsewhere ? ["index.routing.allocation.*"] : []),
    ],
  };
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
