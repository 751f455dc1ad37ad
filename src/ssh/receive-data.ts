import type { ClientChannel } from "ssh2";
import { holdBytes } from "./hold-bytes.ts";
import { takeWindow } from "./library-window.ts";
import type { Link } from "./link.ts";
import { usualWindowBytes, type WindowShare } from "./window-budget.ts";

/** What comes in on a channel. */
export interface Receiver {
  /** The reader wants more. */
  read(): void;
  /** No more comes; the reader is told behind what is still to be read. */
  end(): void;
  /** There is no reader any more. */
  stop(): void;
}

/**
 * OpenSSH tops up by as much (three packets, channels.c): less at a time costs messages, more costs speed. Of a larger window
 * it is an eighth: by 96 KiB, the messages took a fifth of the time of a fast download.
 */
const adjustBytes = 96 * 1024;
/** Shorter than this, a measured rate is chance. */
const measureMs = 10;
/** What was not used for so long is not wanted any more. */
const idleMs = 1000;

/**
 * Given a channel that was opened with its share's first window, hand what arrives to `deliver`, which takes null for the
 * end and returns false when its reader has enough. The window is topped up as the reader reads, to twice what arrives
 * within a round trip, as TCP sizes its own (dynamic right-sizing): it grows only while it is the limit, and the reader
 * keeps up. Throws where ssh2's window cannot be taken over (`hasKnownWindow`).
 */
export function receiveData(
  channel: ClientChannel,
  link: Link,
  share: WindowShare,
  deliver: (chunk: Buffer | null) => boolean,
): Receiver {
  const { windows } = link;
  const held = holdBytes();
  let targetBytes = usualWindowBytes;
  let isWanted = false;
  let state: "open" | "ended" | "stopped" = "open";
  let sinceMs = performance.now();
  let sinceBytes = 0;

  const window = takeWindow(link.client, channel, share.firstBytes, (chunk) => {
    if (state === "stopped") return;
    sinceBytes += chunk.length;
    if (isWanted && held.sizeBytes() === 0) isWanted = deliver(chunk);
    else held.add(chunk);
    topUp();
  });

  const resize = (): void => {
    const nowMs = performance.now();
    const tookMs = nowMs - sinceMs;
    const roundTripMs = windows.roundTripMs();
    const neededBytes = 2 * sinceBytes * Math.min(1, roundTripMs / tookMs);
    if (neededBytes > targetBytes || tookMs > idleMs)
      targetBytes = Math.max(usualWindowBytes, Math.ceil(neededBytes));
    targetBytes = Math.min(targetBytes, windows.largestBytes());
    if (tookMs < Math.max(roundTripMs, measureMs)) return;
    sinceMs = nowMs;
    sinceBytes = 0;
  };
  const topUp = (): void => {
    // Both are still possible on the way here, from within `deliver`.
    if (state !== "open" || !link.isOpen()) return;
    if (held.sizeBytes() === 0) resize();
    const grantedBytes = window.sizeBytes() + held.sizeBytes();
    share.hold(grantedBytes);
    const limitBytes = share.limit(targetBytes);
    const missingBytes = limitBytes - grantedBytes;
    const worthBytes = Math.min(limitBytes / 2, Math.max(adjustBytes, limitBytes / 8));
    if (missingBytes < worthBytes) return;
    share.hold(limitBytes);
    window.add(missingBytes);
  };
  const give = (): void => {
    while (isWanted && state !== "stopped") {
      const chunk = held.take();
      if (!chunk) break;
      isWanted = deliver(chunk);
    }
    if (state === "ended" && held.sizeBytes() === 0) {
      state = "stopped";
      share.hold(0);
      deliver(null);
    }
    topUp();
  };
  return {
    read: () => {
      isWanted = true;
      give();
    },
    end: () => {
      if (state !== "open") return;
      state = "ended";
      give();
    },
    stop: () => {
      state = "stopped";
      held.clear();
      share.leave();
    },
  };
}
