import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { Lookup } from "./look-up-address.ts";

/** Where it is remembered which instance a name stood for, and for which configuration. */
export interface InstanceMemory {
  stateFolder: string;
  configPath: string;
}

/**
 * Given a host and the instance that it is now, return what to tell the operator where it was another one when it was last reached:
 * same name, other instance.
 */
export async function noticeInstance(
  memory: InstanceMemory,
  name: string,
  lookup: Lookup,
): Promise<string | undefined> {
  const before = await readInstance(memory, name, lookup);
  if (lookup.instanceId === undefined || before === undefined || before === lookup.instanceId)
    return undefined;
  const since = lookup.launchedAt === undefined ? "" : `, launched ${lookup.launchedAt}`;
  return `${name}: same name, other instance: ${lookup.instanceId}${since}; it was ${before}`;
}

/** Given a host that has proved by its key who it is, remember the instance that it was found to be. Throws where it cannot be written. */
export async function rememberInstance(
  memory: InstanceMemory,
  name: string,
  lookup: Lookup,
): Promise<void> {
  const { instanceId, launchedAt } = lookup;
  if (instanceId === undefined || (await readInstance(memory, name, lookup)) === instanceId) return;
  const text = `${JSON.stringify({ instanceId, launchedAt })}\n`;
  await writeFileAtomically(pathOf(memory, name, lookup), text);
}

function readInstance(
  memory: InstanceMemory,
  name: string,
  lookup: Lookup,
): Promise<string | undefined> {
  return readFile(pathOf(memory, name, lookup), "utf8")
    .then((text) => (JSON.parse(text) as { instanceId?: string } | null)?.instanceId)
    .catch(() => undefined);
}

/** Another configuration, or another account, may mean another machine by the same name. */
function pathOf(
  { stateFolder, configPath }: InstanceMemory,
  name: string,
  { account = "unknown" }: Lookup,
): string {
  const configuration = createHash("sha256").update(configPath).digest("hex").slice(0, 12);
  const file = `${encodeURIComponent(name)}-${account}-${configuration}.json`;
  return join(stateFolder, "instances", file);
}
