import { OperatorError } from "../../system/errors.ts";
import type { BackupDriver, DriverOptions } from "../backup-driver.ts";
import type { ExternalReference } from "../set-content.ts";
import {
  type Cluster,
  isNotThere,
  RefusedRequest,
  REPOSITORY_SILENCE_MS,
  withCluster,
} from "./cluster.ts";
import { isExport, repositoryOf } from "./repository.ts";

const SNAPSHOT_KIND = "snapshot";
/** A node restarts, another becomes master: so long nobody may answer while a snapshot is followed. */
export const PATIENCE_MS = 5 * 60_000;
export const THINKING = { silenceMs: REPOSITORY_SILENCE_MS };

/** What a repository says of a snapshot. */
export interface Snapshot {
  state: "SUCCESS" | "IN_PROGRESS" | "PARTIAL" | "FAILED" | "INCOMPATIBLE";
  indices: string[];
  shards?: { total: number; failed: number; successful: number };
  failures?: { index: string; reason: string }[];
  reason?: string;
  start_time?: string;
  metadata?: { lcops?: string };
}

/** What lcops can do with a snapshot that a set stands for. */
export const snapshots: NonNullable<BackupDriver["external"]> = {
  verify: (reference, place, options) =>
    withCluster(place, options, async (cluster) => {
      const path = pathOf(reference);
      const snapshot = await findSnapshot(cluster, path);
      if (!snapshot) return `the snapshot ${reference.id} is gone`;
      const { state } = snapshot;
      if (state !== "SUCCESS" && state !== "PARTIAL")
        return `the snapshot ${reference.id} is ${state}`;
      // What each of its shards has in the repository is read for this: not its bytes.
      return cluster.ask("GET", `${path}/_status`, undefined, THINKING).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof RefusedRequest && error.kind === "failed") return error.message;
          throw error;
        },
      );
    }),
  remove: (reference, place, options) =>
    withCluster(place, options, (cluster) => removeOurs(cluster, pathOf(reference))),
  findLeft: (setIds, place, options) =>
    isExport(options)
      ? Promise.resolve([])
      : withCluster(place, options, async (cluster) => {
          const found: ExternalReference[] = [];
          for (const setId of setIds) {
            const reference = referenceTo(setId, options);
            const snapshot = await findSnapshot(cluster, pathOf(reference));
            if (snapshot?.metadata?.lcops === setId) found.push(reference);
          }
          return found;
        }),
};

/** Given the name of a set, return how it refers to its snapshot. Pure. */
export const referenceTo = (setId: string, { job }: DriverOptions): ExternalReference => ({
  kind: SNAPSHOT_KIND,
  id: `${repositoryOf(job)}/${nameOf(setId)}`,
});

/** Given a set's reference, return its path. Pure. */
export function pathOf({ id }: ExternalReference): string {
  const [repository = "", name = ""] = id.split("/");
  return `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`;
}

const nameOf = (setId: string): string => `lcops-${setId.toLowerCase()}`;

/** Given the path of a snapshot, return what its repository says of it; undefined where there is none. */
export async function findSnapshot(cluster: Cluster, path: string): Promise<Snapshot | undefined> {
  try {
    const { snapshots: [snapshot] = [] } = await cluster.ask<{ snapshots?: Snapshot[] }>(
      "GET",
      path,
      undefined,
      { patienceMs: PATIENCE_MS },
    );
    return snapshot;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

/** What is gone already is no error. Throws `refused` where it is not one of ours. */
async function removeOurs(cluster: Cluster, path: string): Promise<void> {
  const snapshot = await findSnapshot(cluster, path);
  if (!snapshot) return;
  const name = path.split("/").at(-1);
  if (snapshot.metadata?.lcops === undefined || nameOf(snapshot.metadata.lcops) !== name)
    throw new OperatorError("refused", `the snapshot ${name} was not made by lcops`, {
      next: "it does not say so in its metadata; remove it by hand where it must go",
    });
  await cluster.ask("DELETE", path, undefined, THINKING).catch((error: unknown) => {
    if (!isNotThere(error)) throw error;
  });
}
