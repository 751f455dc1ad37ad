import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { describeError } from "../../system/errors.ts";
import type { DriverOptions, ScratchPlace } from "../backup-driver.ts";
import { describeMegabytes } from "../../system/quantities.ts";
import type { SetContent } from "../set-content.ts";
import { asPath, type Cluster, isNotThere, withCluster } from "./cluster.ts";
import { DRILL_PREFIX } from "./indices.ts";
import { dropShield, listShields, shieldNames } from "./shield-names.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

const CLEAN_UP_LIMIT_MS = 60_000;
/** Of an index (Elasticsearch and OpenSearch reference, "Create index"). */
const LONGEST_NAME_BYTES = 255;
/** Elasticsearch and OpenSearch move shards away from a node that is fuller: its live indices would feel the drill. */
const FULL = 0.9;

/**
 * Given a set and where it may be restored (the job's own cluster, or the one that is given up for drills), return room there under names that nobody else
 * has, and no template. What drills of this machine have left that were killed is removed first, by its exact names.
 */
export async function openIndexScratch(
  set: SetContent,
  options: DriverOptions & { origin: ServicePlace; configured?: ServicePlace },
): Promise<ScratchPlace | { needs: string }> {
  const within = `${prefixOfMachine(options)}${idOf(options.folder)}_`;
  const place = { ...(options.configured ?? options.origin), within };
  const long = set.objects.find((name) => Buffer.byteLength(within + name) > LONGEST_NAME_BYTES);
  if (long !== undefined)
    return {
      needs: `shorter names of indices: behind ${within} there is no room for ${long}`,
    };
  const lack = await withCluster(place, options, async (cluster) => {
    await removeAll(cluster, prefixOfMachine(options), isAbandoned(options));
    // A snapshot is restored without them.
    const lacking = await findLack(cluster, set);
    if (lacking !== undefined || set.external) return lacking;
    return shieldNames(cluster, within);
  });
  if (lack !== undefined) return { needs: lack };
  return {
    target: { kind: "service", place },
    description: `${place.name}, as ${within}*`,
    // With a signal of its own: that of the drill may be what ended it.
    close: () =>
      withCluster(
        place,
        { signal: AbortSignal.timeout(CLEAN_UP_LIMIT_MS), trace: options.trace },
        (cluster) => removeAll(cluster, within),
      ).catch((error: unknown) => `${within}* at ${place.name}: ${describeError(error)}`),
  };
}

/** Drills of other machines are none of ours. */
function prefixOfMachine({ folder }: DriverOptions): string {
  const machine = createHash("sha256")
    .update(`${hostname()}\0${dirname(folder)}`)
    .digest("hex");
  return `${DRILL_PREFIX}${machine.slice(0, 8)}_`;
}

/** A folder of a run, whose name has capitals too. */
const idOf = (folder: string): string => Buffer.from(basename(folder)).toString("hex");

/** A drill has a folder of its run for as long as it lives. */
function isAbandoned(options: DriverOptions): (name: string) => boolean {
  const prefix = prefixOfMachine(options);
  return (name) => {
    const [id = ""] = name.slice(prefix.length).split("_");
    return !existsSync(join(dirname(options.folder), Buffer.from(id, "hex").toString()));
  };
}

/** The indices first: without their shield they would not stand. */
async function removeAll(
  cluster: Cluster,
  begin: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<void> {
  for (const name of (await listNamed(cluster, begin)).filter(isWanted))
    await cluster.ask("DELETE", asPath(name)).catch((error: unknown) => {
      if (!isNotThere(error)) throw error;
    });
  for (const name of (await listShields(cluster, begin)).filter(isWanted))
    await dropShield(cluster, name);
}

async function listNamed(cluster: Cluster, prefix: string): Promise<string[]> {
  const rows = await cluster.ask<{ index: string }[]>(
    "GET",
    `/_cat/indices${asPath(prefix)}*?format=json&h=index&expand_wildcards=all`,
  );
  return rows.map(({ index }) => index).filter((name) => name.startsWith(prefix));
}

/** What a drill would need of room that is not there; the cluster says whether it minds full disks. */
async function findLack(cluster: Cluster, set: SetContent): Promise<string | undefined> {
  const plain = set.parts.reduce((sum, part) => sum + part.plain.bytes, 0);
  const needed = set.external?.bytes?.total ?? plain;
  const { nodes } = await cluster.ask<{
    nodes: Record<
      string,
      { fs?: { total?: { total_in_bytes: number; available_in_bytes: number } } }
    >;
  }>("GET", "/_nodes/data:true/stats/fs");
  const disks = Object.values(nodes).flatMap(({ fs }) => fs?.total ?? []);
  const minds = await cluster.ask<Record<string, Record<string, string>>>(
    "GET",
    "/_cluster/settings?include_defaults=true&flat_settings=true&filter_path=*.cluster.routing.allocation.disk.threshold_enabled",
  );
  const isIndifferent = Object.values(minds).some((one) => Object.values(one).includes("false"));
  const spare = disks.reduce(
    (sum, { total_in_bytes: all, available_in_bytes: free }) =>
      sum + Math.max(0, free - (isIndifferent ? 0 : all * (1 - FULL))),
    0,
  );
  if (disks.length === 0 || needed <= spare) return undefined;
  return `${describeMegabytes(needed - spare)} more of room at ${cluster.name}, or a cluster named as scratch`;
}
