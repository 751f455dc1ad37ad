import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../system/errors.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

/** What has happened to a tunnel in the background, with its time (ISO 8601, UTC). */
export type LoggedEvent = { at: string } & (
  | TunnelEvent
  | { name: string; event: "note"; text: string }
  | { name: string; event: "closed" }
);

/** Past this a log gives way to a new one; the one before is kept. */
const LONGEST_BYTES = 1024 * 1024;

/** A name means something else in another configuration. */
function pathOf(stateFolder: string, configPath: string, name: string): string {
  const hash = createHash("sha256").update(configPath).digest("hex").slice(0, 16);
  return join(stateFolder, "tunnels", `${name}-${hash}.log`);
}

/** Given an event, add it to the log of its tunnel of that configuration. Throws system errors (a full disk). */
export async function logEvent(
  stateFolder: string,
  configPath: string,
  event: LoggedEvent,
): Promise<void> {
  const path = pathOf(stateFolder, configPath, event.name);
  await mkdir(join(stateFolder, "tunnels"), { recursive: true, mode: 0o700 });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LONGEST_BYTES) await rename(path, `${path}.1`);
  await appendFile(path, `${JSON.stringify(event)}\n`, { mode: 0o600 });
}

/** Given a tunnel of a configuration, return what its log has, oldest first; lines that a crash cut are passed over. */
export async function readTunnelLog(
  stateFolder: string,
  configPath: string,
  name: string,
): Promise<LoggedEvent[]> {
  const path = pathOf(stateFolder, configPath, name);
  const contents = await Promise.all([`${path}.1`, path].map(readIfThere));
  return contents
    .flatMap((content) => content.split("\n"))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LoggedEvent];
      } catch {
        return [];
      }
    });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
