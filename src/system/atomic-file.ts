import { open, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Given a path and its new content, put the content there whole or not at all: a temporary name beside it, fsync, rename.
 * The folder is made (0700) where it is missing. `mode` is the file's, whatever the umask, 0600 unless told.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array | Iterable<string>,
  mode = 0o600,
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Beside another writer of the same file; `wx` below refuses the one that would still collide.
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2, 10)}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      const isWhole = typeof content === "string" || content instanceof Uint8Array;
      for (const piece of isWhole ? [content] : content) await file.writeFile(piece);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
