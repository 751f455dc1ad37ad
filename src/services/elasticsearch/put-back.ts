import { OperatorError } from "../../system/errors.ts";
import type { DriverOptions } from "../backup-driver.ts";
import type { SetReader } from "../set-content.ts";
import { type Cluster, RefusedRequest } from "./cluster.ts";
import { type StreamsAnswer, streamsByIndex, UNKNOWN } from "./indices.ts";
import { NAMED_PATHS } from "./save-definitions.ts";

type Definitions = Record<string, object>;
type Aliases = Record<string, { aliases: Record<string, object> }>;

/** Given a set, put back its templates, pipelines and policies that the cluster has not: what is there is never changed. */
export async function putBackDefinitions(
  cluster: Cluster,
  set: SetReader,
  { trace }: DriverOptions,
): Promise<void> {
  for (const [role, path] of Object.entries(NAMED_PATHS)) {
    const saved = readDefinitions(await readPart(set, role));
    if (Object.keys(saved).length === 0) continue;
    const there = await cluster
      .ask<Record<string, unknown>>("GET", path)
      .then(readDefinitions)
      .catch((error: unknown) => {
        // Another edition, which does not know the word, cannot have it.
        if (error instanceof RefusedRequest && UNKNOWN.has(error.status)) return undefined;
        throw error;
      });
    for (const [name, definition] of Object.entries(saved)) {
      if (!there || Object.hasOwn(there, name)) continue;
      await cluster.ask("PUT", `${path}/${encodeURIComponent(name)}`, definition);
      trace(`${path}/${name} is put back`);
    }
  }
}

/** Given a set and the indices that were restored under their own names, give them back those aliases that no other index has now. */
export async function putBackAliases(
  cluster: Cluster,
  set: SetReader,
  restored: readonly string[],
  { trace }: DriverOptions,
): Promise<void> {
  const saved = (await readPart(set, "aliases")) as Aliases;
  const taken = await listTaken(cluster, new Set(restored));
  const actions = restored.flatMap((index) =>
    Object.entries(saved[index]?.aliases ?? {}).flatMap(([alias, settings]) => {
      if (!taken.has(alias)) return [{ add: { index, alias, ...settings } }];
      trace(`the alias ${alias} is that of another index, and stays there`);
      return [];
    }),
  );
  if (actions.length > 0) await cluster.ask("POST", "/_aliases", { actions });
}

/** Given a set, return which of its aliases a restore of these indices would leave to others. */
export async function findTakenAliases(
  cluster: Cluster,
  set: SetReader,
  indices: readonly string[],
): Promise<string[]> {
  const saved = (await readPart(set, "aliases")) as Aliases;
  const taken = await listTaken(cluster, new Set(indices));
  const wanted = indices.flatMap((index) => Object.keys(saved[index]?.aliases ?? {}));
  return [...new Set(wanted)].filter((alias) => taken.has(alias));
}

/** Given a set, return to which data stream each index of one belonged. */
export async function readStreams(set: SetReader): Promise<Map<string, string>> {
  return streamsByIndex((await readPart(set, "data-streams")) as StreamsAnswer);
}

async function listTaken(cluster: Cluster, own: ReadonlySet<string>): Promise<Set<string>> {
  const there = await cluster.ask<Aliases>("GET", "/_alias");
  return new Set(
    Object.entries(there).flatMap(([index, { aliases }]) =>
      own.has(index) ? [] : Object.keys(aliases),
    ),
  );
}

async function readPart(set: SetReader, role: string): Promise<Record<string, unknown>> {
  const part = set.parts.find((one) => one.role === role);
  if (!part) return {};
  const chunks: Buffer[] = [];
  for await (const chunk of set.read(part)) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
  } catch {
    throw new OperatorError("failed", `${part.path} of ${set.setId} is no JSON`);
  }
}

/** By name, as they are put: some are answered in a list, some with more than is put. */
function readDefinitions(answer: Record<string, unknown>): Definitions {
  for (const [list, member] of [
    ["component_templates", "component_template"],
    ["index_templates", "index_template"],
  ] as const) {
    const found = answer[list] as ({ name: string } & Record<string, object>)[] | undefined;
    if (found) return Object.fromEntries(found.map((one) => [one.name, one[member] ?? {}]));
  }
  return Object.fromEntries(
    Object.entries(answer as Record<string, Record<string, object>>).map(([name, definition]) => [
      name,
      definition["policy"] ? { policy: definition["policy"] } : definition,
    ]),
  );
}
