import type { Hash } from "node:crypto";
import { open } from "node:fs/promises";
import { compressPiece } from "../../system/compress.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { type DumpState, partialPath, writeDumpState } from "./dump-state.ts";

/** Where the lines of a dump go. */
export interface DumpWriter {
  /**
   * Takes so many bytes, which `fill` writes from that place on; in the same breath it brings the page's segment up to date. Waits while the
   * disk is slower than the service.
   */
  write(bytes: number, fill: (target: Buffer, at: number) => void): Promise<void>;
  /** Puts down what is left. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Packed and written at once; so much more than a page that packing is worth it. */
const PIECE_BYTES = 4 * 1024 * 1024;
const NO_ZSTD = new OperatorError("missing", "the program zstd is not installed", {
  next: "install it, or name the file otherwise, e.g. with .gz",
});
/** What a kill costs at most. */
const CHECKPOINT_MS = 250;

/**
 * Given the state of a dump and the hash of its bytes so far, return the writer of the rest; what stands behind the state's offset
 * is cut away. The state is brought up to date, on the disk too, each time bytes are: a resumed dump has no page twice and misses none.
 */
export async function openDumpFile(
  state: DumpState,
  hash: Hash,
  signal: AbortSignal,
): Promise<DumpWriter> {
  const path = partialPath(state.plan.path);
  const file = await open(path, state.offset === 0 ? "w" : "r+", 0o600).catch((error: unknown) => {
    throw new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
      cause: error,
    });
  });
  await file.truncate(state.offset);
  let checkedAt = performance.now();
  const put = async (
    bytes: Buffer,
    then: Pick<DumpState, "segments" | "consumedUnits">,
    isLast: boolean,
  ): Promise<void> => {
    try {
      const isEnd = bytes.length === 0 && state.offset > 0;
      const packed = isEnd
        ? bytes
        : await compressPiece(bytes, state.plan.codec, { signal, missing: NO_ZSTD });
      let written = 0;
      while (written < packed.length) {
        const at = state.offset + written;
        written += (await file.write(packed, written, undefined, at)).bytesWritten;
      }
      hash.update(packed);
      state.offset += packed.length;
      const now = performance.now();
      if (!isLast && now - checkedAt < CHECKPOINT_MS) return;
      checkedAt = now;
      await file.datasync();
      await writeDumpState({ ...state, ...then });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OperatorError) throw error;
      throw new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
        next: "mend that, then go on with --resume",
        cause: error,
      });
    }
  };
  return collectPieces({
    // These are the pages of the bytes so far.
    mark: () => ({
      segments: state.segments.map((segment) => ({ ...segment })),
      consumedUnits: state.consumedUnits,
    }),
    put,
    isDue: () => performance.now() - checkedAt >= CHECKPOINT_MS,
    close: () => file.close(),
  });
}

/** Given a stream, return a writer to it: no file, no state. */
export function openDumpStream(stream: Pick<NodeJS.WritableStream, "write">): DumpWriter {
  return collectPieces({
    mark: () => undefined,
    put: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    isDue: () => true,
    close: async () => undefined,
  });
}

interface Pieces<Mark> {
  /** What a piece stands for, when it is taken. */
  mark: () => Mark;
  put: (bytes: Buffer, mark: Mark, isLast: boolean) => Promise<void>;
  /** Whether a piece is to be put down though it is not full. */
  isDue: () => boolean;
  close: () => Promise<void>;
}

/** One piece is filled while the other is put down: two buffers for any number of pages, as garbage they would be most of the memory. */
function collectPieces<Mark>({ mark, put, isDue, close }: Pieces<Mark>): DumpWriter {
  let [filling, spare] = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)];
  let used = 0;
  let putting: Promise<void> | undefined;
  const failures: unknown[] = [];

  const flush = async (isLast: boolean): Promise<void> => {
    while (putting) await putting;
    if (failures.length > 0) throw failures[0];
    if (used === 0 && !isLast) return;
    const [piece, length] = [filling, used];
    [filling, spare] = [spare, piece];
    used = 0;
    putting = put(piece.subarray(0, length), mark(), isLast)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => (putting = undefined));
    await putting;
    if (failures.length > 0) throw failures[0];
  };
  return {
    write: async (bytes, fill) => {
      while (used > 0 && used + bytes > filling.length) await flush(false);
      if (bytes > filling.length) filling = Buffer.allocUnsafeSlow(bytes);
      fill(filling, used);
      used += bytes;
      if (used >= PIECE_BYTES || (isDue() && !putting)) await flush(false);
    },
    finish: () => flush(true),
    close: async () => {
      while (putting) await putting;
      await close();
    },
  };
}
