import type { RedisClient } from "./connect-redis.ts";
import { readText } from "./reply-reader.ts";

/** What a Redis says of itself. */
export interface RedisInfo {
  version: string;
  mode: "standalone" | "cluster" | "sentinel";
  /** Tells this process from any other. */
  runId: string;
  uptimeMs: number;
  role: "master" | "replica";
  /** Of a replica. */
  master?: { host: string; port: number; isLinked: boolean };
  replicas: number;
  clients: number;
  /** Absent: the server does not say. */
  maxClients?: number;
  usedBytes: number;
  /** 0: as much as there is. */
  maxBytes: number;
  /** What goes when there is no more room: `allkeys-lru`. */
  eviction: string;
  commandsPerSecond: number;
  /** Of the reads since its start, the share that was found; absent where nothing was read. */
  hitRate?: number;
  /** Removed, and their memory not yet given back. */
  pendingFrees: number;
  /** Those that are not empty. */
  databases: readonly RedisDatabase[];
}

export interface RedisDatabase {
  index: number;
  keys: number;
  /** How many of them expire. */
  expiring: number;
}

/** Ask a Redis what it is. Throws `access` where its user may not ask. */
export async function readInfo(client: RedisClient): Promise<RedisInfo> {
  return parseInfo(readText(await client.send("INFO")));
}

/** Given the answer of INFO (redis.io, "INFO"), return what it says; what an old server does not say is 0. Pure. */
function parseInfo(text: string): RedisInfo {
  const fields = new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const colon = line.indexOf(":");
      return line.startsWith("#") || colon < 0
        ? []
        : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
  const field = (name: string): string => fields.get(name) ?? "";
  const number = (name: string): number => Number(field(name)) || 0;
  const mode = field("redis_mode");
  const reads = number("keyspace_hits") + number("keyspace_misses");
  return {
    version: field("redis_version"),
    mode: mode === "cluster" || mode === "sentinel" ? mode : "standalone",
    runId: field("run_id"),
    uptimeMs: number("uptime_in_seconds") * 1000,
    role: field("role") === "slave" ? "replica" : "master",
    ...(field("role") === "slave" && {
      master: {
        host: field("master_host"),
        port: number("master_port"),
        isLinked: field("master_link_status") === "up",
      },
    }),
    replicas: number("connected_slaves"),
    clients: number("connected_clients"),
    ...(number("maxclients") > 0 && { maxClients: number("maxclients") }),
    usedBytes: number("used_memory"),
    maxBytes: number("maxmemory"),
    eviction: field("maxmemory_policy"),
    commandsPerSecond: number("instantaneous_ops_per_sec"),
    ...(reads > 0 && { hitRate: number("keyspace_hits") / reads }),
    pendingFrees: number("lazyfree_pending_objects"),
    databases: parseKeyspace(text),
  };
}

/** Given an answer of INFO with its section of the keys, return the databases that are not empty, in their order. Pure. */
export function parseKeyspace(text: string): RedisDatabase[] {
  return [...text.matchAll(/^db(\d+):keys=(\d+),expires=(\d+)/gm)].map(
    ([, index, keys, expiring]) => ({
      index: Number(index),
      keys: Number(keys),
      expiring: Number(expiring),
    }),
  );
}

/** Given a version, return whether the server removes in the background (UNLINK and ASYNC, since Redis 4.0). Pure. */
export function removesInBackground({ version }: Pick<RedisInfo, "version">): boolean {
  return Number(/^\d+/.exec(version)?.[0] ?? 0) >= 4;
}
