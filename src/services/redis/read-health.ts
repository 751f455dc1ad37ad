import type { HealthState, Reading } from "../../system/reading.ts";
import type { HealthPlace } from "../service.ts";
import { connectRedis } from "./connect-redis.ts";
import { describeBytes } from "../../system/quantities.ts";
import { readInfo, type RedisInfo } from "./read-info.ts";
import type { RedisConfig } from "./settings.ts";

/** Of a Redis that may not remove keys by itself: from here on there is little room left. */
const FULL_SHARE = { warn: 0.8, fail: 0.95 };

/** Asks a Redis how full it is, and a replica whether it follows. */
export async function readHealth(
  place: HealthPlace<RedisConfig>,
  signal: AbortSignal,
): Promise<Reading[]> {
  const { user, database = 0 } = place.config;
  const password = await place.password();
  const tls = place.tls();
  const client = await connectRedis(
    {
      name: place.name,
      ...(await place.endpoint()),
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
      database,
      ...(tls && { tls }),
    },
    signal,
  );
  try {
    const [state, detail] = judgeInfo(await readInfo(client));
    return [{ area: "redis", name: place.name, state, detail }];
  } finally {
    client.close();
  }
}

/** Given what a Redis says of itself, return how it is. Pure. */
export function judgeInfo(info: RedisInfo): [state: HealthState, detail: string] {
  const { usedBytes, maxBytes, eviction, role, master } = info;
  const memory = `uses ${describeBytes(usedBytes)} ${maxBytes > 0 ? `of ${describeBytes(maxBytes)}` : "without a limit"}`;
  if (role === "replica" && !master?.isLinked)
    return ["fail", `${memory}; the link to its master ${master?.host}:${master?.port} is down`];
  // With another policy a full memory is what a cache is for.
  const share = maxBytes > 0 && eviction === "noeviction" ? usedBytes / maxBytes : 0;
  if (share < FULL_SHARE.warn) return ["ok", memory];
  const what = `${memory}, and refuses writes when it is full`;
  return [share < FULL_SHARE.fail ? "warn" : "fail", what];
}
