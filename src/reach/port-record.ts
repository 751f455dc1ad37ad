import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { findPortHolder } from "../system/port-holder.ts";

/** What a tunnel leads to; the name of a service alone means something else in another configuration. */
export interface TunnelIdentity {
  configPath: string;
  /** Name of the service. */
  name: string;
  /** Name of the host through which it goes. */
  host: string;
  target: { host: string; port: number };
}

/** One open tunnel, as every other run of lcops can see it. */
export interface PortRecord {
  port: number;
  pid: number;
}

function pathOf(runtimeFolder: string, tunnel: TunnelIdentity): string {
  const { configPath, name, host, target } = tunnel;
  const key = JSON.stringify([configPath, name, host, target.host, target.port]);
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return join(runtimeFolder, "tunnels", `${name}-${hash}.json`);
}

/** Given an open tunnel of this process, let other runs of lcops find it; the returned function takes the record back. */
export async function recordPort(
  runtimeFolder: string,
  tunnel: TunnelIdentity,
  record: PortRecord,
): Promise<() => Promise<void>> {
  const path = pathOf(runtimeFolder, tunnel);
  await writeFileAtomically(path, `${JSON.stringify(record)}\n`);
  return () => rm(path, { force: true });
}

/** Given what a tunnel would lead to, return the port on which it is open already, or undefined; a record whose process is gone is none. */
export async function findOpenPort(
  runtimeFolder: string,
  tunnel: TunnelIdentity,
): Promise<PortRecord | undefined> {
  const content = await readFile(pathOf(runtimeFolder, tunnel), "utf8").catch(() => undefined);
  if (content === undefined) return undefined;
  try {
    const record = JSON.parse(content) as PortRecord;
    const holder = await findPortHolder(record.port);
    return holder !== undefined && holder.pid === record.pid ? record : undefined;
  } catch {
    // Half-written by a run that was killed: as good as none.
    return undefined;
  }
}
