import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions } from "../backup-driver.ts";
import { type Cluster, RefusedRequest } from "./cluster.ts";

const POLL_MS = { first: 250, longest: 5_000 };
const FOLLOW_LIMIT_MS = 6 * 3_600_000;
/** How often in a row a shard must be found to have no place: a node may be about to join. */
const HOPELESS = 3;

interface Shard {
  index: string;
  shard: string;
  prirep: "p" | "r";
  state: string;
  "unassigned.reason": string | null;
  "unassigned.details": string | null;
}

/** Given indices that a cluster has begun to restore, follow that until each of their shards is there. Throws `failed` where one will not be. */
export async function followRestore(
  cluster: Cluster,
  names: ReadonlySet<string>,
  { signal, update }: Pick<RestoreOptions, "signal" | "update">,
): Promise<void> {
  const began = performance.now();
  const fail = (what: string): never => {
    throw new OperatorError("failed", what);
  };
  let hopeless = 0;
  for (let pause = POLL_MS.first; ; pause = Math.min(pause * 2, POLL_MS.longest)) {
    const rows = await cluster.ask<Shard[]>(
      "GET",
      "/_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason,unassigned.details",
    );
    const primaries = rows.filter(({ index, prirep }) => names.has(index) && prirep === "p");
    const waiting = primaries.filter(({ state }) => state === "UNASSIGNED");
    const failed = waiting.find((one) => one["unassigned.reason"] === "ALLOCATION_FAILED");
    if (failed)
      fail(
        `${failed.index}: shard ${failed.shard} was not restored: ${failed["unassigned.details"] ?? ""}`,
      );
    // All of them were made when it began.
    const there = new Set(primaries.map(({ index }) => index));
    const gone = [...names].find((name) => !there.has(name));
    if (gone !== undefined) fail(`${gone} was removed while it was restored`);
    const started = primaries.filter(({ state }) => state === "STARTED");
    if (started.length === primaries.length) return;
    const isMoving = started.length + waiting.length < primaries.length;
    const hindrance = waiting[0] && !isMoving && (await findHindrance(cluster, waiting[0]));
    hopeless = hindrance ? hopeless + 1 : 0;
    if (hopeless === HOPELESS && hindrance) fail(hindrance);
    if (performance.now() - began > FOLLOW_LIMIT_MS)
      fail(`it was not restored after ${FOLLOW_LIMIT_MS / 3_600_000} hours`);
    update(`${started.length} of ${primaries.length} shards restored`);
    await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

interface Explanation {
  can_allocate?: string;
  node_allocation_decisions?: { deciders?: { decider: string; explanation: string }[] }[];
}

/** Why no node takes a shard; undefined where one will, or that cannot be told. */
async function findHindrance(
  cluster: Cluster,
  { index, shard }: Shard,
): Promise<string | undefined> {
  const about = { index, shard: Number(shard), primary: true };
  const path = "/_cluster/allocation/explain";
  try {
    const found = await cluster.ask<Explanation>("POST", path, about);
    if (found.can_allocate !== "no") return undefined;
    const reasons = (found.node_allocation_decisions ?? [])
      .flatMap(({ deciders = [] }) => deciders)
      // That it was not restored is what the others are the reason of.
      .filter(({ decider }) => decider !== "restore_in_progress")
      .map(({ explanation }) => explanation);
    return `${index}: no node takes shard ${shard}: ${[...new Set(reasons)].slice(0, 3).join("; ")}`;
  } catch (error) {
    if (error instanceof RefusedRequest) return undefined;
    throw error;
  }
}
