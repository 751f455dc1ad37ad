import { randomBytes } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { DestinationName } from "../config/backup-schema.ts";
import { onePiece } from "../system/one-piece.ts";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { NotStoredError, refuseOther, type Store, type StoredObject } from "./store.ts";

/** Given the absolute path of a folder, return it as a store; it is made (0700) by the first write. */
export function openFolderStore(name: DestinationName, folder: string): Store {
  const pathOf = (key: string): string => join(folder, key);
  const store: Store = {
    name,
    place: folder,
    list: (prefix) => walk(folder, prefix),
    read: (key) => readFile(pathOf(key), key),
    write: (key, content) => writeFile(pathOf(key), content, rename),
    create: (key, content) =>
      writeFile(pathOf(key), onePiece(content), renameNew).catch(async (error: unknown) => {
        if (!isTaken(error)) throw error;
        await refuseOther(store, key, content);
      }),
    remove: async (key) => {
      await rm(pathOf(key), { force: true });
      await removeEmptyFolders(dirname(pathOf(key)), folder);
    },
    // Its unfinished files are listed as all others are.
    sweep: () => Promise.resolve(0),
    close: () => undefined,
  };
  return store;
}

async function* walk(folder: string, prefix: string): AsyncIterable<StoredObject> {
  // A prefix ends at a level: what is before its last slash is a folder.
  const from = join(folder, prefix.slice(0, prefix.lastIndexOf("/") + 1));
  const entries = await readdir(from, { withFileTypes: true, recursive: true }).catch(
    (error: unknown): Dirent[] => {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    },
  );
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch((error: unknown) => {
      // Removed meanwhile by another run.
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    const key = relative(folder, path);
    if (found && key.startsWith(prefix)) yield { key, bytes: found.size, modifiedAt: found.mtime };
  }
}

async function* readFile(path: string, key: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw new NotStoredError(`${key} is missing`);
    throw error;
  }
}

async function writeFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  putInPlace: (temporary: string, path: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.tmp-${randomBytes(6).toString("hex")}`;
  try {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Closed by itself, whatever happens; a failed close would be a failed write.
    const file = await open(temporary, "wx", 0o600);
    try {
      await writeAll(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await putInPlace(temporary, path);
    await syncFolder(dirname(path));
    // New folders are on the disk once what they stand in is.
    for (let at = dirname(path); made !== undefined && at !== dirname(made);) {
      at = dirname(at);
      await syncFolder(at);
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw errorCode(error) === undefined ? error : explainWrite(path, error);
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && errorCode(error.cause) === "EEXIST";

/** What a file system says that has no links of that kind (FAT, some of the network). */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Rename, unless there is a file of that name (EEXIST): a link replaces nothing. */
async function renameNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has(errorCode(error) ?? "")) throw error;
    // Between the two another writer could still come.
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw Object.assign(new Error("file already exists"), { code: "EEXIST" });
    return rename(temporary, path);
  }
  await rm(temporary);
}

/** Many small chunks are one write. */
const PIECE_BYTES = 1024 * 1024;

async function writeAll(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<void> {
  let piece: Uint8Array[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    if (piece.length > 0) await writeWhole(file, piece, bytes);
    piece = [];
    bytes = 0;
  };
  for await (const chunk of content) {
    piece.push(chunk);
    bytes += chunk.length;
    if (bytes >= PIECE_BYTES) await put();
  }
  await put();
}

async function writeWhole(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  bytes: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...pieces]);
  if (bytesWritten === bytes) return;
  // A disk that is nearly full takes a part of it; the rest says so.
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  await file.appendFile(rest);
}

function explainWrite(path: string, error: unknown): OperatorError {
  return new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
    cause: error,
    ...(errorCode(error) === "ENOSPC" && { next: "make room on that disk, then run it again" }),
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}

async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (let at = from; at !== root && at.startsWith(root); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Not empty, or gone already.
      return;
    }
  }
}
