import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { findPortHolder } from "../system/port-holder.ts";

/** One open tunnel, as every other run of lcops can see it. */
export interface PortRecord {
  /** Name of the service. */
  name: string;
  port: number;
  pid: number;
}

const pathOf = (runtimeFolder: string, name: string): string =>
  join(runtimeFolder, "tunnels", `${name}.json`);

/** Given an open tunnel of this process, let other runs of lcops find it; the returned function takes the record back. */
export async function recordPort(
  runtimeFolder: string,
  record: PortRecord,
): Promise<() => Promise<void>> {
  const path = pathOf(runtimeFolder, record.name);
  await writeFileAtomically(path, `${JSON.stringify(record)}\n`);
  return () => rm(path, { force: true });
}

/** Given the name of a service, return the port of its open tunnel, or undefined; a record whose process is gone is none. */
export async function findOpenPort(
  runtimeFolder: string,
  name: string,
): Promise<PortRecord | undefined> {
  const content = await readFile(pathOf(runtimeFolder, name), "utf8").catch(() => undefined);
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
