import pLimit from "p-limit";
import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions } from "../backup-driver.ts";
import { countOf } from "../../system/quantities.ts";
import type { PartRecord, SetReader } from "../set-content.ts";
import { writeDocuments } from "./bulk.ts";
import { asPath, type Cluster, withCluster } from "./cluster.ts";
import { countDocuments, refresh } from "./indices.ts";
import { findReplaced, isDrill, pickTargets, type Target } from "./plan-restore.ts";
import { putBackAliases, putBackDefinitions } from "./put-back.ts";
import { asidePrefix, listAsides, putInPlace } from "./put-in-place.ts";
import { readLines } from "./read-lines.ts";
import { type IndexDefinition, splitSettings } from "./split-settings.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** Given a set of an export, write its indices anew: settings and mappings first, documents by `_bulk`, then what would have held that up. Aliases are put back where no other index has them. */
export function restoreExport(
  set: SetReader,
  place: ServicePlace,
  options: RestoreOptions,
): Promise<void> {
  return withCluster(place, options, async (cluster) => {
    const targets = pickTargets(set, place, options.only);
    const definitions = await readIndexDefinitions(set, targets);
    const isOwn = place.within === undefined;
    if (isOwn && options.only === undefined) await putBackDefinitions(cluster, set, options);
    const there = new Set(await findReplaced(cluster, targets));
    const asides = await listAsides(cluster, new Set(targets.map(({ name }) => name)));
    const before = asidePrefix(set.setId);
    // Of other sets: nobody goes on with them.
    for (const name of asides)
      if (!name.startsWith(before)) await cluster.ask("DELETE", asPath(name));
    const limit = pLimit(options.parallel);
    const found: Found = { there, asides, before, limit };
    let done = 0;
    for (const target of targets) {
      options.update(`${done++} of ${targets.length} indices`);
      const definition = definitions.get(target.index);
      if (!definition)
        throw new OperatorError("failed", `${set.setId} has no settings of ${target.index}`);
      const settings = splitSettings(definition, {
        isDrill: isDrill(place),
        isElsewhere: cluster.uuid !== set.source.serverId,
      });
      await restoreIndex(cluster, set, target, { ...settings, definition }, found, options);
    }
    if (isOwn)
      await putBackAliases(
        cluster,
        set,
        targets.map(({ name }) => name),
        options,
      );
  });
}

/** What stood in the cluster when the restore began. */
interface Found {
  there: ReadonlySet<string>;
  asides: ReadonlySet<string>;
  /** What stands before the names of this set's own asides. */
  before: string;
  limit: ReturnType<typeof pLimit>;
}

/** What stands by its name stays until the new one is whole; what a run had begun that was killed goes on where it was begun. */
async function restoreIndex(
  cluster: Cluster,
  set: SetReader,
  target: Target,
  {
    atOnce,
    afterwards,
    definition,
  }: ReturnType<typeof splitSettings> & { definition: IndexDefinition },
  { there, asides, before, limit }: Found,
  options: RestoreOptions,
): Promise<void> {
  const parts = set.parts.filter((part) => part.object === target.index);
  const isBegun = parts.some(options.isDone);
  const aside = { ...target, name: before + target.name };
  const [isThere, isAsideThere] = [there.has(target.name), asides.has(aside.name)];
  const isAside = isAsideThere ? isBegun || isThere : isThere && !isBegun;
  const at = isAside ? aside : target;
  // Where it was removed since, what was done counts no more: documents without it would make one of their own.
  const goesOn = isBegun && (isAside ? isAsideThere : isThere);
  if (!goesOn) {
    if (isAsideThere) await cluster.ask("DELETE", asPath(aside.name));
    const settings = isAside ? { ...atOnce, "index.hidden": true } : atOnce;
    await createIndex(cluster, at, settings, definition);
  }
  await Promise.all(
    parts
      .filter((part) => !goesOn || !options.isDone(part))
      .map((part) => limit(() => restorePart(cluster, set, part, at, options))),
  );
  await refuseLack(cluster, set, at);
  if (isAside) await putInPlace(cluster, aside.name, target.name);
  await cluster.ask("PUT", `${asPath(target.name)}/_settings`, afterwards);
}

async function restorePart(
  cluster: Cluster,
  set: SetReader,
  part: PartRecord,
  { name }: Target,
  options: RestoreOptions,
): Promise<void> {
  options.signal.throwIfAborted();
  await writeDocuments(cluster, name, set.read(part), options.signal);
  await options.markDone(part);
}

async function createIndex(
  cluster: Cluster,
  { name }: Target,
  settings: Record<string, unknown>,
  { mappings }: IndexDefinition,
): Promise<void> {
  await cluster.ask("PUT", asPath(name), { settings, mappings });
  // Of a template that is there: this index is not to be found by them.
  const found = await cluster.ask<Record<string, { aliases: Record<string, object> }>>(
    "GET",
    `${asPath(name)}/_alias`,
  );
  const actions = Object.keys(found[name]?.aliases ?? {}).map((alias) => ({
    remove: { index: name, alias },
  }));
  if (actions.length > 0) await cluster.ask("POST", "/_aliases", { actions });
}

/** All that the set has of it must be there before it is as it was. */
async function refuseLack(
  cluster: Cluster,
  set: SetReader,
  { index, name }: Target,
): Promise<void> {
  await refresh(cluster, name);
  const expected = set.facts.find(({ object }) => object === index)?.rows;
  const count = await countDocuments(cluster, name);
  if (expected !== undefined && count !== expected)
    throw new OperatorError(
      "failed",
      `${name} has ${countOf(count, "document")} instead of ${expected}`,
    );
}

async function readIndexDefinitions(
  set: SetReader,
  targets: readonly Target[],
): Promise<Map<string, IndexDefinition>> {
  const wanted = new Set(targets.map(({ index }) => index));
  const found = new Map<string, IndexDefinition>();
  const part = set.parts.find(({ role }) => role === "indices");
  if (!part) throw new OperatorError("failed", `the set ${set.setId} has no settings of indices`);
  for await (const line of readLines(set.read(part)))
    for (const [name, definition] of Object.entries(
      JSON.parse(line) as Record<string, IndexDefinition>,
    ))
      if (wanted.has(name)) found.set(name, definition);
  return found;
}
