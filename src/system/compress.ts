import type { Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { OperatorError } from "./errors.ts";
import { onePiece } from "./one-piece.ts";
import { streamThrough } from "./stream-through.ts";

export type Compression = "none" | "gzip" | "zstd";

export interface CompressOptions {
  signal: AbortSignal;
  /** All that the program gets of variables, its PATH among them; absent: those of lcops. */
  environment?: NodeJS.ProcessEnv;
  /** The error where nothing here has zstd; absent: one that names the program. */
  missing?: OperatorError;
}

type Bytes = AsyncIterable<Uint8Array>;

/** A third of the time of level 6, for a tenth more bytes. */
const GZIP_LEVEL = 1;
/** The level that costs less time than it saves at the destination; also the default of Node's own. */
const ZSTD_LEVEL = 3;
const CHUNK = { chunkSize: 256 * 1024 };

/** Node has zstd from 22.15 on; the types are those of Node 20. */
const { createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync } = zlib as {
  createZstdCompress?: (options: typeof CHUNK) => Transform;
  createZstdDecompress?: (options: typeof CHUNK) => Transform;
  zstdCompressSync?: (text: string) => Buffer;
  zstdDecompressSync?: (bytes: Buffer) => Buffer;
};

/** Returns whether Node reads zstd to the end: Node 22 stops after the first of several wholes, and takes one that is cut off for all of it. */
function readsToTheEnd(): boolean {
  const whole = zstdCompressSync?.("x");
  return whole !== undefined && zstdDecompressSync?.(Buffer.concat([whole, whole])).length === 2;
}

/** Returns how the bytes of a file are compressed, by its name. */
export function compressionOf(path: string): Compression {
  if (/\.gz$/i.test(path)) return "gzip";
  return /\.zst(d)?$/i.test(path) ? "zstd" : "none";
}

/** Returns the bytes compressed, as they come. Throws `missing` where nothing here writes zstd, and what `content` throws. */
export async function* compress(
  content: Bytes,
  compression: Compression,
  options: CompressOptions,
): AsyncGenerator<Uint8Array, void> {
  if (compression === "none") yield* content;
  else if (compression === "gzip")
    yield* throughOwn(content, zlib.createGzip({ ...CHUNK, level: GZIP_LEVEL }));
  else
    yield* throughZstd(
      content,
      ["-q", "-c", "-T1", `-${ZSTD_LEVEL}`],
      () => createZstdCompress?.(CHUNK),
      options,
    );
}

/**
 * Returns bytes compressed as a whole of their own, so that a file of several such is one of all their bytes. Node's own zstd comes first
 * here: to start a program for each 4 MiB takes a third longer. Throws `missing` where nothing here writes zstd.
 */
export async function compressPiece(
  bytes: Buffer,
  compression: Compression,
  options: CompressOptions,
): Promise<Buffer> {
  if (compression === "none") return bytes;
  const piece = onePiece(bytes);
  return compression === "zstd" && createZstdCompress
    ? buffer(throughOwn(piece, createZstdCompress(CHUNK)))
    : buffer(compress(piece, compression, options));
}

/**
 * Returns the bytes as they were before `compress`, as they come. Throws `missing` where nothing here reads zstd, what `content` throws,
 * and what is wrong with the bytes, at the latest at their end.
 */
export async function* decompress(
  content: Bytes,
  compression: Compression,
  options: CompressOptions,
): AsyncGenerator<Uint8Array, void> {
  if (compression === "none") yield* content;
  else if (compression === "gzip") yield* throughOwn(content, zlib.createGunzip(CHUNK));
  else {
    const makeOwn = (): Transform | undefined =>
      readsToTheEnd() ? createZstdDecompress?.(CHUNK) : undefined;
    yield* throughZstd(content, ["-q", "-d", "-c"], makeOwn, options);
  }
}

/** The program works on another core: Node's own takes half as long again for 200 MB, and serves where there is no program. */
async function* throughZstd(
  content: Bytes,
  args: readonly string[],
  makeOwn: () => Transform | undefined,
  options: CompressOptions,
): Bytes {
  let isRead = false;
  const input = async function* (): Bytes {
    isRead = true;
    yield* content;
  };
  try {
    yield* streamThrough("zstd", args, input(), options);
  } catch (error) {
    if (isRead || !(error instanceof OperatorError && error.kind === "missing")) throw error;
    const own = makeOwn();
    if (!own) throw options.missing ?? error;
    yield* throughOwn(content, own);
  }
}

async function* throughOwn(content: Bytes, transform: Transform): Bytes {
  const done = pipeline(content, transform);
  done.catch(() => undefined);
  yield* transform as AsyncIterable<Buffer>;
  await done;
}
