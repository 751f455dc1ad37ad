import type { RedisInfo } from "../../services/redis/read-info.ts";
import type { ChangePlan } from "../../system/gate.ts";
import { describeBytes } from "../../system/quantities.ts";
import {
  describeClients,
  describeKeys,
  describeMemory,
  describeRole,
  describeServer,
  describeUse,
} from "./describe-info.ts";
import type { FlushWish } from "./flush-wish.ts";
import type { OpenRedis } from "./open-redis.ts";

/** What a flush would remove. */
export interface FlushFinds {
  /** How many keys. */
  keys: number;
  /** Bytes that they take, about; absent: not known. */
  bytes?: number;
  /** Some of their names, of a pattern. */
  examples: readonly string[];
}

export interface FlushPlan extends ChangePlan {
  /** How many keys would be removed, for scripts. */
  keys: number;
}

/** Given a flush and what was found, return its plan. Pure. */
export function describeFlush(
  open: OpenRedis,
  wish: FlushWish,
  info: RedisInfo,
  finds: FlushFinds,
): FlushPlan {
  const { name, isProduction } = open;
  return {
    title: `${nameFlush(open, wish)}: ${describeKeys(finds.keys)}`,
    lines: [
      describeWay(open),
      `${describeServer(info)}; ${describeRole(info)}${info.replicas > 0 ? ", which lose the same" : ""}`,
      ...describeFinds(wish, info, finds, open.place.database),
      `memory: ${describeMemory(info)}`,
      `clients: ${describeClients(info)}; commands: ${describeUse(info)}`,
      "what is read then is asked of what stands behind it, until it is filled again",
    ],
    target: name,
    danger: "destroys",
    isProduction,
    keys: finds.keys,
  };
}

/** What is done, for the plan and the journal: `remove api:* from database 0 of prod-cache`. Pure. */
export function nameFlush({ name, place }: OpenRedis, wish: FlushWish): string {
  if (wish.kind === "all") return `flush every database of ${name}`;
  return wish.kind === "database"
    ? `flush database ${place.database} of ${name}`
    : `remove ${wish.pattern} from database ${place.database} of ${name}`;
}

function describeFinds(
  wish: FlushWish,
  { databases }: RedisInfo,
  { bytes, examples }: FlushFinds,
  selected: number,
): string[] {
  const others = databases.filter(({ index }) => index !== selected);
  const describe = (some: typeof databases): string =>
    some.map(({ index, keys }) => `database ${index} with ${describeKeys(keys)}`).join(", ");
  return [
    ...(examples.length > 0 ? [`such as ${examples.join(", ")}`] : []),
    ...(bytes === undefined ? [] : [`they take about ${describeBytes(bytes)}`]),
    ...(wish.kind === "all" ? [describe(databases)] : []),
    ...(wish.kind !== "all" && others.length > 0 ? [`it leaves ${describe(others)}`] : []),
  ];
}

/** Where it is and whose: `10.0.3.20:6379 through prod-api3-1, environment prod, guarded as production`. Pure. */
function describeWay({ where, environment, isProduction }: OpenRedis): string {
  return `${where}, environment ${environment ?? "none"}${isProduction ? ", guarded as production" : ""}`;
}

/** The same with its name before it. Pure. */
export function describePlace(open: OpenRedis): string {
  return `${open.name}: ${describeWay(open)}`;
}
