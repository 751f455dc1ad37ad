/** The kinds of service that a configuration can have, in the order in which its messages name them. */
import type { ReachableConfig } from "../config/schema.ts";
import type { ServicePlace } from "../reach/service-place.ts";
import { elasticsearch } from "./elasticsearch/elasticsearch.ts";
import { graphite } from "./graphite/graphite.ts";
import { http } from "./http/http.ts";
import { monit } from "./monit/monit.ts";
import { mysql } from "./mysql/mysql.ts";
import { redis } from "./redis/redis.ts";
import { s3 } from "./s3/s3.ts";
import type { ProbeLimits, ProbeResult, ServiceType } from "./service.ts";

export const KINDS = [http, graphite, elasticsearch, s3, monit, redis, mysql] as const;

export type ServiceKind = (typeof KINDS)[number]["kind"];

const types: readonly ServiceType[] = KINDS;

/** Returns what lcops can do with a service of a kind that the configuration has. Pure. */
export function serviceTypeOf(kind: string): ServiceType {
  const found = types.find((type) => type.kind === kind);
  if (found) return found;
  throw new Error(`there is no kind of service ${kind}`);
}

/** Asks a service in its own protocol, and returns whether it answers. Throws the errors of the way to it, and the signal's reason. */
export async function probeService(
  { config, endpoint }: Pick<ServicePlace<ReachableConfig>, "config" | "endpoint">,
  limits: ProbeLimits,
): Promise<ProbeResult> {
  return serviceTypeOf(config.kind).probe(await endpoint(), config, limits);
}
