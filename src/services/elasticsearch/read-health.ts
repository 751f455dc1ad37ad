import type { HealthState, Reading } from "../../system/reading.ts";
import type { HealthPlace } from "../service.ts";
import { countOf } from "../../system/quantities.ts";
import { withCluster } from "./cluster.ts";

const STATES: Readonly<Record<string, HealthState>> = { green: "ok", yellow: "warn", red: "fail" };

interface ClusterHealth {
  status?: string;
  number_of_nodes?: number;
  unassigned_shards?: number;
}

/** Asks a cluster for its colour: yellow where copies of shards are missing, red where shards are (Elasticsearch reference, "Cluster health"). */
export const readHealth = (place: HealthPlace, signal: AbortSignal): Promise<Reading[]> =>
  withCluster(place, { signal, trace: () => undefined }, async (cluster) => {
    const found = await cluster.ask<ClusterHealth>("GET", "/_cluster/health", undefined, {
      patienceMs: 0,
    });
    const { status = "no colour", number_of_nodes: nodes = 0, unassigned_shards: lost = 0 } = found;
    const missing = lost === 0 ? "" : `, ${countOf(lost, "shard has", "shards have")} no place`;
    const detail = `${status}, ${countOf(nodes, "node")}${missing}`;
    return [{ area: "search", name: place.name, state: STATES[status] ?? "unknown", detail }];
  });
