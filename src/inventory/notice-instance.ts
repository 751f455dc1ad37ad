import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { Lookup } from "./look-up-address.ts";

/**
 * Given a host and the instance that it is now, remember it, and return what to tell the operator where it was another one the last time:
 * same name, other instance.
 */
export async function noticeInstance(
  stateFolder: string,
  name: string,
  lookup: Lookup,
): Promise<string | undefined> {
  if (lookup.instanceId === undefined) return undefined;
  const path = join(stateFolder, "instances", `${encodeURIComponent(name)}.json`);
  const before = await readFile(path, "utf8")
    .then((text) => (JSON.parse(text) as { instanceId?: string } | null)?.instanceId)
    .catch(() => undefined);
  if (before === lookup.instanceId) return undefined;
  await writeFileAtomically(
    path,
    `${JSON.stringify({ instanceId: lookup.instanceId, launchedAt: lookup.launchedAt })}\n`,
  );
  if (before === undefined) return undefined;
  const since = lookup.launchedAt === undefined ? "" : `, launched ${lookup.launchedAt}`;
  return `${name}: same name, other instance: ${lookup.instanceId}${since}; it was ${before}`;
}
