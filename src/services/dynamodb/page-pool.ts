/** Memory for pages that are read into it one after the other: as garbage they would be most of what a scan takes. */
export interface PagePool {
  /** For an answer of so many bytes. */
  takeBody(bytes: number): Buffer;
  /** For where its items begin and end. */
  takeBounds(): Uint32Array<ArrayBuffer>;
  /** Of what was taken, and nobody reads any more. */
  giveBack(body: Buffer, bounds: Uint32Array<ArrayBuffer>): void;
}

/** A page of 1 MB of items is rarely longer as JSON. */
const USUAL_BYTES = 2 * 1024 * 1024;
/** It rarely has more than 8,000 items. */
const USUAL_BOUNDS = 16_384;

/** Return a pool that is empty yet. */
export function makePagePool(): PagePool {
  const bodies: ArrayBufferLike[] = [];
  const bounds: Uint32Array<ArrayBuffer>[] = [];
  return {
    takeBody: (bytes) => {
      const index = bodies.findIndex((memory) => memory.byteLength >= bytes);
      const [found] = index < 0 ? [] : bodies.splice(index, 1);
      const memory = found ?? Buffer.allocUnsafeSlow(Math.max(USUAL_BYTES, bytes)).buffer;
      return Buffer.from(memory, 0, bytes);
    },
    takeBounds: () => bounds.pop() ?? new Uint32Array(USUAL_BOUNDS),
    giveBack: (body, given) => {
      if (body.buffer.byteLength >= USUAL_BYTES) bodies.push(body.buffer);
      if (given.buffer.byteLength >= USUAL_BOUNDS * 4) bounds.push(new Uint32Array(given.buffer));
    },
  };
}
