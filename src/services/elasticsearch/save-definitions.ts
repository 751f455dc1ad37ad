import { onePiece } from "../../system/one-piece.ts";
import type { PartSink } from "../backup-driver.ts";
import { asPath, type Cluster, RefusedRequest } from "./cluster.ts";
import { type FoundIndex, UNKNOWN } from "./indices.ts";

/** The object of parts that belong to no index; no index can be called so. */
export const DEFINITIONS = "templates, aliases and pipelines";

/** What is put back by its name, in this order. */
export const NAMED_PATHS = {
  pipelines: "/_ingest/pipeline",
  "lifecycle-policies": "/_ilm/policy",
  "component-templates": "/_component_template",
  templates: "/_template",
  "index-templates": "/_index_template",
} as const;
const PATHS = { ...NAMED_PATHS, aliases: "/_alias", "data-streams": "/_data_stream" };

/** Given a cluster, write what it has of templates, aliases and pipelines into parts, each as it was answered. What an edition does not know it has none of. */
export async function saveDefinitions(cluster: Cluster, sink: PartSink): Promise<void> {
  for (const [role, path] of Object.entries(PATHS)) {
    const answer = await cluster.read({ method: "GET", path }).catch((error: unknown) => {
      if (error instanceof RefusedRequest && UNKNOWN.has(error.status)) return undefined;
      throw error;
    });
    if (!answer) continue;
    const part = { path: `elasticsearch/${role}.json`, object: DEFINITIONS, role, seq: 0 };
    await sink.write(part, onePiece(answer));
  }
}

/** Given indices, write the settings, mappings and aliases of each, a line each, as they were answered. */
export async function saveIndices(
  cluster: Cluster,
  indices: readonly FoundIndex[],
  sink: PartSink,
): Promise<void> {
  const lines = async function* (): AsyncIterable<Buffer> {
    for (const { name } of indices) {
      const answer = await cluster
        .read({ method: "GET", path: asPath(name) })
        .catch((error: unknown) => {
          // It was removed meanwhile, which is told where its documents are read.
          if (error instanceof RefusedRequest && error.status === 404) return undefined;
          throw error;
        });
      if (answer) yield Buffer.concat([answer, Buffer.from("\n")]);
    }
  };
  const path = "elasticsearch/indices.ndjson";
  await sink.write({ path, object: DEFINITIONS, role: "indices", seq: 0 }, lines());
}
