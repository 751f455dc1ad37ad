/** Bytes that nobody has asked for yet, in order. */
export interface HeldBytes {
  sizeBytes(): number;
  add(chunk: Buffer): void;
  /** The oldest of them, some at a time; undefined when there are none. */
  take(): Buffer | undefined;
  clear(): void;
}

const blockBytes = 64 * 1024;

/**
 * Returns an empty store. What is added is copied, so that as much memory is held as there are bytes, to a block: a slice
 * would keep the whole chunk that it was read in, and a server that sends single bytes would cost a hundred for each.
 */
export function holdBytes(): HeldBytes {
  let blocks: Buffer[] = [];
  /** Of the last block. */
  let filled = 0;
  let sizeBytes = 0;
  return {
    sizeBytes: () => sizeBytes,
    add: (chunk) => {
      for (let from = 0; from < chunk.length;) {
        let last = blocks.at(-1);
        if (!last || filled === last.length) {
          last = Buffer.allocUnsafe(blockBytes);
          blocks.push(last);
          filled = 0;
        }
        const copied = chunk.copy(last, filled, from);
        filled += copied;
        from += copied;
      }
      sizeBytes += chunk.length;
    },
    take: () => {
      const block = blocks.shift();
      if (!block) return undefined;
      const taken = blocks.length === 0 ? block.subarray(0, filled) : block;
      sizeBytes -= taken.length;
      return taken;
    },
    clear: () => {
      blocks = [];
      sizeBytes = 0;
    },
  };
}
