import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeFileAtomically } from "../../system/atomic-file.ts";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import { type DumpManifest, manifestPath } from "./dump-manifest.ts";
import type { DumpPlan } from "./plan-dump.ts";
import type { Segment } from "./scan-table.ts";

/** How far an unfinished dump has come: its bytes up to `offset` are on the disk, and hold exactly the pages of its segments. */
export interface DumpState {
  plan: DumpPlan;
  startedAt: string;
  resumed: number;
  offset: number;
  consumedUnits: number;
  segments: Segment[];
  /** All of it is there; only the names are missing. */
  finished?: DumpManifest;
}

export const partialPath = (path: string): string => `${path}.partial`;
const statePath = (path: string): string => `${path}.partial.json`;

/** Given the state of a dump, have it on the disk. */
export async function writeDumpState(state: DumpState): Promise<void> {
  await writeFileAtomically(statePath(state.plan.path), JSON.stringify(state));
}

/** Given where a dump is to be written, return the state of the unfinished one there; undefined where there is none. */
export async function readDumpState(path: string): Promise<DumpState | undefined> {
  try {
    return JSON.parse(await readFile(statePath(path), "utf8")) as DumpState;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new OperatorError("failed", `${statePath(path)} cannot be read`, {
      next: "leave --resume away to begin anew",
      cause: error,
    });
  }
}

/** Given the path of a dump, take away what an unfinished one has left. */
export async function forgetDump(path: string): Promise<void> {
  await rm(statePath(path), { force: true });
  await rm(partialPath(path), { force: true });
}

/** Given the path of a dump, take away the temporary files that a killed run has left beside it. Throws `failed` where its folder is not there. */
export async function removeTemporaries(path: string): Promise<void> {
  const own = [basename(statePath(path)), basename(manifestPath(path))];
  const folder = dirname(path);
  const names = await readdir(folder).catch((error: unknown) => {
    throw new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
      next: "name a folder that is there and can be written",
      cause: error,
    });
  });
  for (const name of names) {
    const isOurs = own.some((file) => name.startsWith(`${file}.`)) && name.endsWith(".tmp");
    if (isOurs) await rm(join(folder, name), { force: true });
  }
}

/** Given a dump that is whole on the disk, give it its name and its manifest. It may have been begun before. */
export async function publishDump(state: DumpState, manifest: DumpManifest): Promise<void> {
  const { path } = state.plan;
  await writeDumpState({ ...state, finished: manifest });
  await rename(partialPath(path), path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
  await writeFileAtomically(manifestPath(path), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(statePath(path), { force: true });
}

/** Given the state of an unfinished dump, return the hash of its bytes so far. Throws `failed` where they are not there any more. */
export async function hashPartial({ plan, offset }: DumpState): Promise<Hash> {
  const hash = createHash("sha256");
  if (offset === 0) return hash;
  const path = partialPath(plan.path);
  const { size } = await stat(path).catch(() => ({ size: -1 }));
  if (size < offset) {
    throw new OperatorError("failed", `${path} is shorter than it was`, {
      next: "leave --resume away to begin anew",
    });
  }
  for await (const chunk of createReadStream(path, { end: offset - 1 }))
    hash.update(chunk as Buffer);
  return hash;
}
