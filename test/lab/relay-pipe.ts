/** One direction of one relayed connection. */
import type { Socket } from "node:net";

/** How the network is now; shared by all pipes of a relay. */
export type Link = { oneWayMs: number; bytesPerSecond: number; stalled: boolean };
/** One direction of the network: when it is free again, and what it has carried. */
export type Lane = { freeAt: number; bytes: number };
export type Pipe = { pump(): void; end(): void; stop(): void; heldBytes(): number };

/** Above this the sender is made to wait, as by a full window; enough for 80 ms at 400 MB/s. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const SLICES_PER_SECOND = 50;

type Entry = { dueAt: number; chunk: Buffer | "end" };

/**
 * Takes two sockets and the network between them; passes on what the first sends, in order, when it is due.
 * Holds no more than a window; reads no more while the reader is slow or the link stalled.
 */
export function createPipe(options: { from: Socket; to: Socket; link: Link; lane: Lane }): Pipe {
  const { from, to, link, lane } = options;
  const queue: Entry[] = [];
  let held = 0;
  let ended = false;
  let draining = false;
  let timer: NodeJS.Timeout | undefined;

  const throttleReading = () => {
    const wanted = !link.stalled && held < WINDOW_BYTES;
    if (wanted && from.isPaused()) from.resume();
    else if (!wanted && !from.isPaused()) from.pause();
  };
  const pumpAt = (time: number) => {
    clearTimeout(timer);
    timer = setTimeout(pump, Math.max(1, Math.ceil(time - performance.now())));
  };
  /** Cuts the entry so that a slow link carries it in small steps; returns what goes now. */
  const takeSlice = (entry: Entry & { chunk: Buffer }): Buffer => {
    const limit =
      link.bytesPerSecond > 0
        ? Math.max(1, Math.floor(link.bytesPerSecond / SLICES_PER_SECOND))
        : Infinity;
    if (entry.chunk.length <= limit) {
      queue.shift();
      return entry.chunk;
    }
    const slice = entry.chunk.subarray(0, limit);
    entry.chunk = entry.chunk.subarray(limit);
    return slice;
  };
  const send = (slice: Buffer, now: number) => {
    held -= slice.length;
    lane.bytes += slice.length;
    if (link.bytesPerSecond > 0)
      lane.freeAt = Math.max(now, lane.freeAt) + (slice.length / link.bytesPerSecond) * 1_000;
    if (to.write(slice)) return;
    draining = true;
    to.once("drain", () => {
      draining = false;
      pump();
    });
  };
  function pump(): void {
    for (;;) {
      const [entry] = queue;
      if (!entry || link.stalled || draining || to.destroyed) break;
      const now = performance.now();
      const readyAt = Math.max(entry.dueAt, link.bytesPerSecond > 0 ? lane.freeAt : 0);
      if (readyAt > now) {
        pumpAt(readyAt);
        break;
      }
      if (entry.chunk === "end") {
        queue.length = 0;
        held = 0;
        ended = true;
        to.end();
        break;
      }
      send(takeSlice(entry as Entry & { chunk: Buffer }), now);
    }
    throttleReading();
  }
  const add = (chunk: Entry["chunk"]) => {
    queue.push({ dueAt: performance.now() + link.oneWayMs, chunk });
    if (chunk !== "end") held += chunk.length;
    pump();
  };
  from.on("data", (chunk: Buffer) => {
    // After a half-close what still comes has nowhere to go.
    if (!ended && !to.destroyed) add(chunk);
  });
  from.on("end", () => {
    if (!ended) add("end");
  });
  if (link.stalled) from.pause();
  return {
    pump,
    end: () => {
      if (ended) return;
      ended = true;
      queue.length = 0;
      held = 0;
      to.end();
    },
    stop: () => clearTimeout(timer),
    heldBytes: () => held,
  };
}
