import { createReadStream } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "../../system/errors.ts";

/** Lines that are written one after the other, many at once. */
export interface LineWriter {
  write(line: string): Promise<void>;
  /** What was written is on the disk when it resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const BUFFER_CHARACTERS = 256 * 1024;

/** Given a path, begin a file there (0600), instead of the one that there is. */
export async function writeLines(path: string): Promise<LineWriter> {
  const file: FileHandle = await open(path, "w", 0o600);
  let buffer = "";
  const flush = async (): Promise<void> => {
    const text = buffer;
    buffer = "";
    if (text !== "") await file.appendFile(text);
  };
  return {
    write: async (line) => {
      buffer += `${line}\n`;
      if (buffer.length >= BUFFER_CHARACTERS) await flush();
    },
    sync: async () => {
      await flush();
      await file.datasync();
    },
    close: () => flush().finally(() => file.close()),
  };
}

/** Given a path, return its whole lines, many at once: a last one without its end does not count. A file that is not there has none. */
export async function* readLines(path: string): AsyncGenerator<string[]> {
  const stream = createReadStream(path, { encoding: "utf8", highWaterMark: 256 * 1024 });
  try {
    yield* splitLines(stream as AsyncIterable<string>);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  } finally {
    stream.destroy();
  }
}

/** Given text in pieces, return its whole lines, many at once. */
export async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) yield lines;
  }
}

/** Given a file whose bytes are on the disk, give it its name; the rename is on the disk when it resolves. */
export async function putInPlace(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  await folder.sync().finally(() => folder.close());
}
