import { asPath, type Cluster, isNotThere, RefusedRequest } from "./cluster.ts";
import { UNKNOWN } from "./indices.ts";

const PATH = "/_index_template";
/** Above any that an operator would give; larger numbers are not exact in JSON. */
const PRIORITY = Number.MAX_SAFE_INTEGER;

/**
 * Given what the names of a drill begin with, keep the cluster's templates from its indices: one with an alias would put each of them behind it for as long
 * as it takes to be removed from there, and whoever reads or writes by that alias would meet it. Of the templates that match a name the one of the highest
 * priority alone is applied, and no legacy one beside it (Elasticsearch and OpenSearch reference, "Index templates"): so these names get one of their own,
 * of nothing. Returns what the operator must give where that cannot be had.
 */
export async function shieldNames(cluster: Cluster, begin: string): Promise<string | undefined> {
  // It has legacy templates alone, all of which are applied.
  if (cluster.product === "elasticsearch" && cluster.version.startsWith("7.7.")) {
    const templates = await cluster.ask<Record<string, { aliases?: object }>>("GET", "/_template");
    const found = Object.entries(templates).find(
      ([, { aliases = {} }]) => Object.keys(aliases).length > 0,
    );
    return (
      found &&
      `a cluster named as scratch: ${cluster.name} is too old to keep them from the alias of its template ${found[0]}`
    );
  }
  try {
    await cluster.ask("PUT", PATH + asPath(begin), {
      index_patterns: [`${begin}*`],
      priority: PRIORITY,
      template: {},
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    return `a user who may make an index template, to keep the others from its indices (${error.message}), or a cluster named as scratch`;
  }
}

/** Given what names begin with, return which of them are shielded. */
export async function listShields(cluster: Cluster, begin: string): Promise<string[]> {
  try {
    const { index_templates: found } = await cluster.ask<{ index_templates: { name: string }[] }>(
      "GET",
      `${PATH}${asPath(begin)}*`,
    );
    return found.map(({ name }) => name);
  } catch (error) {
    if (error instanceof RefusedRequest && UNKNOWN.has(error.status)) return [];
    throw error;
  }
}

/** Given the name of a shield, take it away. What is gone already is no error. */
export async function dropShield(cluster: Cluster, name: string): Promise<void> {
  await cluster.ask("DELETE", PATH + asPath(name)).catch((error: unknown) => {
    if (!isNotThere(error)) throw error;
  });
}
