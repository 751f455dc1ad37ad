import { describeError, OperatorError } from "../../system/errors.ts";
import { asPath, type Cluster } from "./cluster.ts";
import { listIndices } from "./indices.ts";
import type { Target } from "./plan-restore.ts";

/**
 * Given what a snapshot is to be restored as, and how many shards each of its indices has there, have what stands in its place out of its way. It is closed,
 * so that the cluster restores over it and nobody writes to it or makes it anew meanwhile; one of another number of shards cannot be restored over, and is
 * removed. Returns what opens again what was closed, for a cluster that then refuses to restore.
 */
export async function makeRoom(
  cluster: Cluster,
  targets: readonly Target[],
  shardsOf: (index: string) => number | undefined,
): Promise<{ giveBack: (because: unknown) => Promise<never> }> {
  const there = new Map((await listIndices(cluster, ["*"])).map((index) => [index.name, index]));
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
  const inTheWay = targets.flatMap(({ index, name }) => {
    const found = there.get(name);
    return found ? { ...found, isAlike: found.shards === shardsOf(index) } : [];
  });
  for (const { name, isAlike, isOpen } of inTheWay) {
    if (!isAlike || !isOpen) continue;
    await cluster.ask("POST", `${asPath(name)}/_close`).catch(giveBack);
    closed.push(name);
  }
  for (const { name, isAlike } of inTheWay)
    if (!isAlike) await cluster.ask("DELETE", asPath(name)).catch(giveBack);
  return { giveBack };
}
