import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import tar from "tar-stream";
import { readWhisper, type WhisperFacts } from "./whisper-file.ts";

/** A file of a pack, as its bytes told. */
export interface PackedFile extends WhisperFacts {
  /** Relative to the folder of all metrics. */
  path: string;
  sha256: string;
  /** ISO 8601, UTC. */
  modifiedAt: string;
}

/** Given the bytes of a tar archive, pass them on unchanged, and tell of each file in it once it is over. Throws where they are no whole archive. */
export async function* watchPack(
  content: AsyncIterable<Uint8Array>,
  found: (file: PackedFile) => void,
): AsyncIterable<Uint8Array> {
  // Names are bytes, and each byte is a character here: a name that is no UTF-8 stays what it is.
  const extract = tar.extract({ filenameEncoding: "latin1" } as unknown as TarOptions);
  let failure: unknown;
  const reading = readEntries(extract as unknown as AsyncIterable<Entry>, found).catch(
    (error: unknown) => void (failure = error ?? new Error("it is no tar archive")),
  );
  // Without a listener it would be thrown at nobody; `reading` has it too.
  extract.on("error", () => undefined);
  try {
    for await (const chunk of content) {
      if (failure === undefined && !extract.write(chunk))
        await Promise.race([once(extract, "drain").catch(() => undefined), reading]);
      yield chunk;
    }
    (extract as NodeJS.WritableStream).end();
    await reading;
    if (failure !== undefined) throw failure;
  } finally {
    // What a reader left early has no end to wait for.
    extract.destroy(new Error("nobody reads it any more"));
  }
}

/** Given a pack, read it to its end and return its files. Throws where it is no whole archive. */
export async function readPack(content: AsyncIterable<Uint8Array>): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  for await (const _ of watchPack(content, (file) => files.push(file))) continue;
  return files;
}

type TarOptions = Parameters<typeof tar.extract>[0];
type Entry = Readable & { header: { name: string; type?: string | null; mtime?: Date } };

async function readEntries(
  entries: AsyncIterable<Entry>,
  found: (file: PackedFile) => void,
): Promise<void> {
  for await (const entry of entries) {
    const { name, type, mtime } = entry.header;
    const hash = createHash("sha256");
    const reader = readWhisper();
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      hash.update(chunk);
      reader.add(chunk);
    }
    if (type !== "file" && type !== "contiguous-file") continue;
    found({
      path: name.replace(/^\.\//, ""),
      sha256: hash.digest("hex"),
      modifiedAt: (mtime ?? new Date(0)).toISOString(),
      ...reader.end(),
    });
  }
}
