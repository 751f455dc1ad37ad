import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode } from "./errors.ts";

const CHUNK_BYTES = 64 * 1024;

/**
 * Given a file that grows, or is not there yet, return what is in it as it comes, and end when `ended` has resolved and all of it was read. It is looked
 * at every `everyMs`: one on another machine's disk tells nobody of its changes.
 */
export async function* followFile(
  path: string,
  ended: Promise<unknown>,
  everyMs: number,
): AsyncGenerator<Buffer, void> {
  let isEnded = false;
  const ending = ended.then(
    () => (isEnded = true),
    () => (isEnded = true),
  );
  let file: FileHandle | undefined;
  try {
    for (;;) {
      // First: what was written before the end is still to be read behind it.
      const isLast = isEnded;
      file ??= await openIfThere(path);
      if (file) yield* readOn(file);
      if (isLast) return;
      const pause = new AbortController();
      await Promise.race([
        ending,
        wait(everyMs, undefined, { signal: pause.signal }).catch(() => undefined),
      ]);
      pause.abort();
    }
  } finally {
    await file?.close();
  }
}

async function* readOn(file: FileHandle): AsyncGenerator<Buffer, void> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
