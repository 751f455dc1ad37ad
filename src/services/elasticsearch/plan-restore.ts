import { OperatorError } from "../../system/errors.ts";
import type { BackupWarning, RestorePlan, SelectOptions } from "../backup-driver.ts";
import { countOf } from "../../system/quantities.ts";
import type { SetContent, SetReader } from "../set-content.ts";
import { type Cluster, withCluster } from "./cluster.ts";
import { DRILL_PREFIX, listIndices, listStreams } from "./indices.ts";
import { findTakenAliases, readStreams } from "./put-back.ts";
import { DEFINITIONS } from "./save-definitions.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** An index of a set, and how it is called where it is restored. */
export interface Target {
  index: string;
  name: string;
}

/** Given a set and a place, return which indices are restored there, under which names: those of `SERVICE/PREFIX` begin so. Throws `usage`. */
export function pickTargets(
  set: SetContent,
  place: ServicePlace,
  only: string | undefined,
): Target[] {
  const { within: prefix = "" } = place;
  if (!/^([a-z0-9][a-z0-9._-]*)?$/.test(prefix))
    throw new OperatorError("usage", `no index can begin with ${prefix}`, {
      next: "lower-case letters, digits and dashes are expected behind the slash, e.g. rescued-",
    });
  const skipped = new Set(set.skipped.map(({ object }) => object));
  const indices = set.objects.filter((name) => name !== DEFINITIONS && !skipped.has(name));
  const picked = only === undefined ? indices : indices.filter((name) => name === only);
  if (picked.length === 0)
    throw new OperatorError("usage", `the set ${set.setId} has no index ${only ?? "at all"}`, {
      next: `it has ${indices.slice(0, 5).join(", ")}${indices.length > 5 ? ", …" : ""}`,
    });
  return picked.map((index) => ({ index, name: prefix + index }));
}

/** Given a set and a place, say what a restore would do there. */
export function planIndexRestore(
  set: SetReader,
  place: ServicePlace,
  options: SelectOptions,
): Promise<RestorePlan> {
  return withCluster(place, options, async (cluster) => {
    const targets = pickTargets(set, place, options.only);
    if (place.within === undefined) await refuseLiveStreams(cluster, set, targets);
    const replaces = await findReplaced(cluster, targets);
    const rows = new Map(set.facts.map((fact) => [fact.object, fact.rows]));
    const taken =
      place.within === undefined
        ? await findTakenAliases(
            cluster,
            set,
            targets.map(({ index }) => index),
          )
        : [];
    return {
      objects: targets.map(({ index, name }) => {
        const count = rows.get(index);
        const counted = count === undefined ? "" : ` (${countOf(count, "document")})`;
        return index === name ? `${name}${counted}` : `${index} as ${name}${counted}`;
      }),
      replaces,
      isSource: cluster.uuid === set.source.serverId && replaces.length > 0 && !place.within,
      warnings: taken.map((alias): BackupWarning => ({
        code: "ALIAS_STAYS",
        object: alias,
        detail: `the alias ${alias} is another index's there, and stays with it`,
      })),
    };
  });
}

/** The newest index of a data stream can be neither replaced nor joined to it again. */
async function refuseLiveStreams(
  cluster: Cluster,
  set: SetReader,
  targets: readonly Target[],
): Promise<void> {
  const streams = await readStreams(set);
  const there = new Set((await listStreams(cluster)).values());
  const stream = targets
    .map(({ index }) => streams.get(index))
    .find((name) => name !== undefined && there.has(name));
  if (stream !== undefined)
    throw new OperatorError("refused", `the data stream ${stream} is there, and in use`, {
      next: "restore under other names, with a prefix behind the slash of --into, or remove it first",
    });
}

/** Given targets, return which of their names stand already. */
export async function findReplaced(
  cluster: Cluster,
  targets: readonly Target[],
): Promise<string[]> {
  const there = new Set((await listIndices(cluster, ["*"])).map(({ name }) => name));
  return targets.filter(({ name }) => there.has(name)).map(({ name }) => name);
}

/** Whether the place is room of a drill. */
export const isDrill = ({ within = "" }: ServicePlace): boolean => within.startsWith(DRILL_PREFIX);
