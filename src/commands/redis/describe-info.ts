import type { RedisDatabase, RedisInfo } from "../../services/redis/read-info.ts";
import { countOf, describeAge, describeBytes, pluralOf } from "../../system/quantities.ts";

/** Given a number, return it with its thousands apart: `200,000`. Pure. */
export function describeCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Given a number of keys, return it in words. Pure. */
export function describeKeys(count: number): string {
  return `${describeCount(count)} ${pluralOf(count, "key")}`;
}

/** `master with 2 replicas`, `replica of 10.0.0.1:6379`. Pure. */
export function describeRole({ role, master, replicas }: RedisInfo): string {
  if (role === "replica")
    return `replica of ${master?.host}:${master?.port}${master?.isLinked ? "" : ", whose link is down"}`;
  return replicas === 0 ? "master without replicas" : `master with ${countOf(replicas, "replica")}`;
}

/** `Redis 7.0.15, standalone, up 3 h`. Pure. */
export function describeServer({ version, mode, uptimeMs }: RedisInfo): string {
  return `Redis ${version}, ${mode}, up ${describeAge(uptimeMs)}`;
}

/** `12.3 MB of 64.0 MB, allkeys-lru`. Pure. */
export function describeMemory({ usedBytes, maxBytes, eviction }: RedisInfo): string {
  const limit = maxBytes > 0 ? `of ${describeBytes(maxBytes)}` : "without a limit";
  return `${describeBytes(usedBytes)} ${limit}${eviction === "" ? "" : `, ${eviction}`}`;
}

/** `1,240 a second; 97.2 % of the reads are found`. Pure. */
export function describeUse({ commandsPerSecond, hitRate }: RedisInfo): string {
  const found = hitRate === undefined ? "" : `; ${(hitRate * 100).toFixed(1)} % of reads found`;
  return `${describeCount(commandsPerSecond)} a second${found}`;
}

/** `14 of 10,000`. Pure. */
export function describeClients({ clients, maxClients }: RedisInfo): string {
  return `${describeCount(clients)}${maxClients === undefined ? "" : ` of ${describeCount(maxClients)}`}`;
}

/** `12,345 keys, 300 of which expire`. Pure. */
export function describeDatabase({ keys, expiring }: RedisDatabase): string {
  return `${describeKeys(keys)}, ${describeCount(expiring)} of which ${pluralOf(expiring, "expires", "expire")}`;
}
