import { createHash } from "node:crypto";
import { describeError, OperatorError } from "../../system/errors.ts";
import { asPath, type Cluster, isNotThere, RefusedRequest } from "./cluster.ts";
import { ASIDE_PREFIX, awaitShards, listIndices } from "./indices.ts";

/** How often an index may be made anew by whoever writes to it, while its name is free for a moment. */
const TRIES = 5;
const [WRITE, READ_ONLY] = ["index.blocks.write", "index.blocks.read_only"] as const;

/** Given a set, return what stands before the name of an index that it fills before that takes the place of one that stands. Pure. */
export function asidePrefix(setId: string): string {
  return `${ASIDE_PREFIX}${createHash("sha256").update(setId).digest("hex").slice(0, 8)}_`;
}

/** Given names, return which indices stand aside for them, of whatever set. */
export async function listAsides(
  cluster: Cluster,
  names: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = await listIndices(cluster, [`${ASIDE_PREFIX}*`], { withOwn: true });
  const ofName = (aside: string): string => aside.slice(asidePrefix("").length);
  return new Set(found.map(({ name }) => name).filter((aside) => names.has(ofName(aside))));
}

/**
 * Given an index aside that has all that it is to have, have it take the place of one that stands: that one is removed only now. Elasticsearch cannot rename:
 * a clone takes the name (hard links, no copy; Elasticsearch and OpenSearch reference, "Clone index"). Throws `failed` where it cannot, and says where the documents are.
 */
export async function putInPlace(cluster: Cluster, aside: string, name: string): Promise<void> {
  const own = await readSettings(cluster, aside);
  // A run that was killed may have removed it.
  const replaced = await readSettings(cluster, name);
  const isReadOnly = own[READ_ONLY] === "true";
  const setReadOnly = (index: string, value: true | null): Promise<unknown> =>
    cluster.ask("PUT", `${asPath(index)}/_settings`, { [READ_ONLY]: value });
  // What is cloned must not change meanwhile.
  if (!isReadOnly) await cluster.ask("PUT", `${asPath(aside)}/_settings`, { [WRITE]: true });
  const settings = {
    // No shard of it would be begun.
    [READ_ONLY]: null,
    [WRITE]: own[WRITE] ?? null,
    "index.hidden": replaced["index.hidden"] ?? null,
  };
  try {
    await replace(cluster, aside, name, settings);
  } catch (error) {
    throw new OperatorError("failed", `${name} is not in its place: ${describeError(error)}`, {
      cause: error,
      next: `its documents are in ${aside}; restore again`,
    });
  }
  await awaitShards(cluster, name);
  if (isReadOnly) {
    await setReadOnly(name, true);
    await setReadOnly(aside, null);
  }
  await cluster.ask("DELETE", asPath(aside));
}

async function replace(
  cluster: Cluster,
  aside: string,
  name: string,
  settings: Record<string, unknown>,
): Promise<void> {
  for (let tried = 1; ; tried++) {
    await cluster.ask("DELETE", asPath(name)).catch((error: unknown) => {
      if (!isNotThere(error)) throw error;
    });
    try {
      return await cluster.ask("POST", `${asPath(aside)}/_clone${asPath(name)}`, { settings });
    } catch (error) {
      // Whoever writes to it has made it anew.
      const isMadeAnew =
        error instanceof RefusedRequest && error.type === "resource_already_exists_exception";
      if (!isMadeAnew || tried === TRIES) throw error;
    }
  }
}

/** Flat, as text; none where it is not there. */
async function readSettings(
  cluster: Cluster,
  index: string,
): Promise<Partial<Record<string, string>>> {
  const found = await cluster.ask<Record<string, { settings: Record<string, string> }>>(
    "GET",
    `${asPath(index)}/_settings?flat_settings=true&ignore_unavailable=true`,
  );
  return found[index]?.settings ?? {};
}
