import { createHash, randomBytes } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, rmdir, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import { checkBytes } from "./check-bytes.ts";
import { mapKey } from "./map-key.ts";
import { type CatalogEntry, type StoredCopy, toSecond } from "./object-entry.ts";
import {
  describeMisfit,
  LostCopyError,
  type ObjectContent,
  type ObjectSide,
} from "./object-side.ts";

/** What a disk says, and no network. */
const DISK_CODES = new Set(["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "ENOTDIR"]);

/** Given the absolute path of a folder and whether what is replaced there is kept, return it as the place of a copy, or of a restore. */
export function folderSide(
  folder: string,
  { keepsReplaced }: { keepsReplaced: boolean },
): ObjectSide {
  const objects = keepsReplaced ? join(folder, "objects") : folder;
  const unfinished = join(folder, ".unfinished");
  /** Whose entries are not on the disk yet. */
  const touched = new Set<string>();
  let cleared: Promise<void> | undefined;
  const place = (file: string): Promise<string | undefined> =>
    mkdir(dirname(file), { recursive: true, mode: 0o700 }).then((made) => {
      touched.add(dirname(file));
      // New folders are on the disk once what they stand in is.
      for (let at = dirname(file); made !== undefined && at !== dirname(made);) {
        at = dirname(at);
        touched.add(at);
      }
      return made;
    });
  const pathOf = (key: string): string => join(objects, mapKey(key));
  /** Where a version of an object stands once another has its place. */
  const replacedPath = (key: string, modified: string, size: number): string => {
    const hash = createHash("sha256").update(`${modified} ${size}`).digest("hex").slice(0, 16);
    return join(folder, "replaced", `${mapKey(key)}~${hash}`);
  };
  const setAside = async (key: string): Promise<void> => {
    const found = await statFile(pathOf(key));
    if (!found) return;
    const aside = replacedPath(key, toSecond(found.mtime), found.size);
    await place(aside);
    await rename(pathOf(key), aside);
    touched.add(dirname(pathOf(key)));
  };
  const find = async (entry: CatalogEntry): Promise<{ path?: string; found?: Stats }> => {
    const paths = [pathOf(entry.key)];
    if (keepsReplaced) paths.push(replacedPath(entry.key, entry.modified, entry.size));
    let other: Stats | undefined;
    for (const path of paths) {
      const found = await statFile(path);
      if (found?.size === entry.size && toSecond(found.mtime) === entry.modified)
        return { path, found };
      other ??= found;
    }
    return other ? { found: other } : {};
  };
  return {
    place: folder,
    identity: createHash("sha256").update(`folder\0${folder}`).digest("hex").slice(0, 32),
    write: async (key, content) => {
      const temporary = join(unfinished, randomBytes(9).toString("hex"));
      const path = pathOf(key);
      try {
        // One who was killed has left the others: nobody else writes to a copy.
        if (keepsReplaced) await (cleared ??= rm(unfinished, { recursive: true, force: true }));
        await place(temporary);
        const copy = await writeFile(temporary, content);
        await place(path);
        if (keepsReplaced) await setAside(key);
        await rename(temporary, path);
        return copy;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw DISK_CODES.has(errorCode(error) ?? "") ? explainWrite(path, error) : error;
      }
    },
    settle: async () => {
      const folders = [...touched];
      touched.clear();
      for (const one of folders) await syncFolder(one);
      await rmdir(unfinished).catch(() => undefined);
    },
    open: async (entry) => {
      const { path, found } = await find(entry);
      if (path === undefined) throw new LostCopyError(describeMisfit(entry, found?.size).problem);
      const { size, modified, copy, headers = {} } = entry;
      const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
      const { sha256 } = copy;
      const expected = { size, ...(sha256 !== undefined && { sha256 }) };
      return {
        content: { bytes: checkBytes(bytes, expected), size, modified, headers },
        isHashed: sha256 !== undefined,
      };
    },
    inspect: () => ({
      check: async (entry) => {
        const { path, found } = await find(entry);
        return path === undefined ? describeMisfit(entry, found?.size) : undefined;
      },
      end: () => Promise.resolve(),
    }),
    remove: ({ key }) => setAside(key),
  };
}

async function statFile(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function writeFile(path: string, { bytes, modified }: ObjectContent): Promise<StoredCopy> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600).catch(async (error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
    // `settle` has just taken the folder away, which was empty.
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, "wx", 0o600);
  });
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      await writeWhole(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const at = new Date(modified);
  await utimes(path, at, at);
  return { sha256: hash.digest("hex") };
}

/** A disk that is nearly full takes a part of it; the rest says so. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, from);
    from += bytesWritten;
  }
}

function explainWrite(path: string, error: unknown): OperatorError {
  return new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
    cause: error,
    ...(errorCode(error) === "ENOSPC" && { next: "make room on that disk, then run it again" }),
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch((error: unknown) => {
    // Nothing was left in it.
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  await handle?.sync().finally(() => handle.close());
}
