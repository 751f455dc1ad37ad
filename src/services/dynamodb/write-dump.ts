import type { Hash } from "node:crypto";
import { open } from "node:fs/promises";
import { describeError, OperatorError } from "../../system/errors.ts";
import { pack } from "./codec.ts";
import { type DumpState, partialPath, writeDumpState } from "./dump-state.ts";

/** Where the lines of a dump go. */
export interface DumpWriter {
  /** Takes lines whose segment has been brought up to date in the same breath; waits while the disk is slower than the service. */
  write(lines: Buffer): Promise<void>;
  /** Puts down what is left. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Packed and written at once; so much more than a page that packing is worth it. */
const PIECE_BYTES = 4 * 1024 * 1024;
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
  const file = await open(path, state.offset === 0 ? "w" : "r+", 0o600);
  await file.truncate(state.offset);
  let checkedAt = performance.now();
  const put = async (bytes: Buffer, isLast: boolean): Promise<void> => {
    // Before anything is awaited: these are the pages of these bytes.
    const segments = state.segments.map((segment) => ({ ...segment }));
    const { consumedUnits } = state;
    try {
      const packed = await pack(bytes, state.plan.codec, signal);
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
      await writeDumpState({ ...state, consumedUnits, segments });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OperatorError) throw error;
      throw new OperatorError("failed", `cannot write ${path}: ${describeError(error)}`, {
        next: "mend that, then go on with --resume",
        cause: error,
      });
    }
  };
  return collectPieces(
    put,
    () => performance.now() - checkedAt >= CHECKPOINT_MS,
    () => file.close(),
  );
}

/** Given a stream, return a writer to it: no file, no state. */
export function openDumpStream(stream: NodeJS.WritableStream): DumpWriter {
  const put = (bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  return collectPieces(
    put,
    () => true,
    async () => undefined,
  );
}

/** One piece after the other; whoever fills one waits until it is put down. */
function collectPieces(
  put: (bytes: Buffer, isLast: boolean) => Promise<void>,
  isDue: () => boolean,
  close: () => Promise<void>,
): DumpWriter {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let last: Promise<void> = Promise.resolve();
  const flush = (isLast: boolean): Promise<void> => {
    last = last.then(() => {
      const bytes = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
      return bytes.length === 0 && !isLast ? undefined : put(bytes, isLast);
    });
    return last;
  };
  return {
    write: async (lines) => {
      pending.push(lines);
      pendingBytes += lines.length;
      if (pendingBytes >= PIECE_BYTES || isDue()) await flush(false);
    },
    finish: () => flush(true),
    close: async () => {
      await last.catch(() => undefined);
      await close();
    },
  };
}
