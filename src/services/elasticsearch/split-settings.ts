/** An index, as the cluster describes it. */
export interface IndexDefinition {
  settings: { index: Record<string, unknown> };
  mappings: object;
}

/** What the cluster itself writes there, and takes from nobody. */
const ITS_OWN = [
  "creation_date",
  "uuid",
  "version",
  "provided_name",
  "resize",
  "history",
  "verified_before_close",
  "routing.allocation.initial_recovery",
  "store.snapshot",
];
/** What would hold up the documents, or change them: it comes behind them. */
const HOLDING_UP = [
  "number_of_replicas",
  "auto_expand_replicas",
  "refresh_interval",
  "blocks",
  "default_pipeline",
  "final_pipeline",
  "search.default_pipeline",
  "lifecycle",
  "plugins.index_state_management",
  "opendistro.index_state_management",
];
/** Of those, what an index of a drill may have too. */
const IN_DRILLS = new Set<string>(["refresh_interval"]);
/** Names of nodes, which another cluster has not. */
const OF_NODES = ["routing.allocation"];

/**
 * Given an index as it was, return the settings with which one is made to take its documents, and those that it gets once it has them. That of a drill
 * stays without copies, nothing will move, hold up or remove it, and searches of all indices do not see it. `isElsewhere`: it was another cluster's. Pure.
 */
export function splitSettings(
  { settings }: IndexDefinition,
  { isDrill, isElsewhere }: { isDrill: boolean; isElsewhere: boolean },
): { atOnce: Record<string, unknown>; afterwards: Record<string, unknown> } {
  const atOnce: Record<string, unknown> = {};
  // Null: the cluster's own default.
  const afterwards: Record<string, unknown> = { "index.refresh_interval": null };
  for (const [name, value] of flatten(settings.index)) {
    if (isBelow(name, ITS_OWN)) continue;
    if (isDrill && isElsewhere && isBelow(name, OF_NODES)) continue;
    if (!isBelow(name, HOLDING_UP)) atOnce[`index.${name}`] = value;
    else if (!isDrill || IN_DRILLS.has(name)) afterwards[`index.${name}`] = value;
  }
  atOnce["index.number_of_replicas"] = 0;
  atOnce["index.refresh_interval"] = "-1";
  if (isDrill) atOnce["index.hidden"] = true;
  return { atOnce, afterwards };
}

const isBelow = (name: string, groups: readonly string[]): boolean =>
  groups.some((group) => name === group || name.startsWith(`${group}.`));

function flatten(settings: Record<string, unknown>, prefix = ""): [string, unknown][] {
  return Object.entries(settings).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value] as [string, unknown]],
  );
}
