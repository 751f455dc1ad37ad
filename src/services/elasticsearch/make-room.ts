import { describeError, OperatorError } from "../../system/errors.ts";
import { asPath, type Cluster } from "./cluster.ts";
import { listIndices } from "./indices.ts";
import type { Target } from "./plan-restore.ts";

/** How the targets of a snapshot can be restored. */
export interface Room {
  /** By their own names: nothing stands there, or what the cluster restores over. */
  over: Target[];
  /** Of what stands there and is open, which is to be closed for that. */
  open: string[];
  /** Beside what stands there, which has another number of shards and cannot be restored over. */
  aside: Target[];
}

/** Given what a snapshot is to be restored as, and how many shards each of its indices has there, return how that can be done. It changes nothing. */
export async function findRoom(
  cluster: Cluster,
  targets: readonly Target[],
  shardsOf: (index: string) => number | undefined,
): Promise<Room> {
  const there = new Map((await listIndices(cluster, ["*"])).map((index) => [index.name, index]));
  const room: Room = { over: [], open: [], aside: [] };
  for (const target of targets) {
    const found = there.get(target.name);
    if (found && found.shards !== shardsOf(target.index)) room.aside.push(target);
    else room.over.push(target);
    if (found?.isOpen && room.over.at(-1) === target) room.open.push(target.name);
  }
  return room;
}

/**
 * Given indices, close them, so that the cluster restores over them and nobody writes to them or makes them anew meanwhile. Returns what opens them again, for a
 * cluster that then refuses to restore.
 */
export async function closeAll(
  cluster: Cluster,
  names: readonly string[],
): Promise<{ giveBack: (because: unknown) => Promise<never> }> {
  const closed: string[] = [];
  const giveBack = async (because: unknown): Promise<never> => {
    const left: string[] = [];
    for (const name of closed)
      if (!(await cluster.release("POST", `${asPath(name)}/_open`))) left.push(name);
    if (left.length === 0) throw because;
    throw new OperatorError("failed", describeError(because), {
      cause: because,
      next: `${left.join(", ")}: closed for the restore, and to be opened again by _open`,
    });
  };
  for (const name of names) {
    await cluster.ask("POST", `${asPath(name)}/_close`).catch(giveBack);
    closed.push(name);
  }
  return { giveBack };
}
