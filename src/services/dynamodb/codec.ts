import { createReadStream } from "node:fs";
import { type Duplex, pipeline } from "node:stream";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { filterThrough, readOutput } from "../../system/filter-through.ts";

/** How the bytes of a dump are packed; its file's name says it. */
export type Codec = "none" | "gzip" | "zstd";

/** A third of the time of level 6, for a tenth more bytes. */
const GZIP_LEVEL = 1;

/** Node has zstd from 22.15 on. */
const { zstdCompress, createZstdDecompress } = zlib as unknown as {
  zstdCompress?: (bytes: Buffer, done: (error: Error | null, packed: Buffer) => void) => void;
  createZstdDecompress?: () => Duplex;
};

/** Given the name of a file, return how it is packed. Pure. */
export function codecOf(path: string): Codec {
  if (/\.gz$/i.test(path)) return "gzip";
  return /\.zst(d)?$/i.test(path) ? "zstd" : "none";
}

/** Given bytes, return them packed: a whole of their own, so that a file of several such is one of all their bytes. Throws `missing`. */
export async function pack(bytes: Buffer, codec: Codec, signal: AbortSignal): Promise<Buffer> {
  if (codec === "none") return bytes;
  if (codec === "gzip") return promisify(zlib.gzip)(bytes, { level: GZIP_LEVEL });
  return zstdCompress
    ? promisify(zstdCompress)(bytes)
    : filterThrough("zstd", ["-q", "-c", "-3"], bytes, signal);
}

/** Given a file, return its bytes as they were before they were packed. What is wrong with it is an error of the stream. Throws `missing`. */
export function openUnpacked(path: string, signal: AbortSignal): AsyncIterable<Buffer> {
  const codec = codecOf(path);
  if (codec === "zstd" && !createZstdDecompress)
    return readOutput("zstd", ["-q", "-d", "-c", "--", path], signal);
  const file = createReadStream(path, { signal });
  if (codec === "none") return file;
  const unpacker = codec === "gzip" ? zlib.createGunzip() : createZstdDecompress?.();
  // Whoever waits for the next bytes is told of a stop, and of what is wrong with the disk: a bare pipe would leave him waiting.
  return pipeline(file, unpacker as Duplex, () => undefined);
}
