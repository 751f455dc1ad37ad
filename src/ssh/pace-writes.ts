import type { Duplex } from "node:stream";

/** More than this is not put into a transport ahead of what else has to be said; the kernel has its own buffers behind it. */
const aheadBytes = 256 * 1024;

/**
 * Given a transport that ssh2 writes to, without heeding when it is full, send what is written in one go together: ssh2
 * writes length, payload and code of each packet one by one. Returns how a bulk sender waits until the transport has
 * room, so that a new channel is not asked for behind megabytes; on a transport that is lost it waits for ever.
 */
export function paceWrites(transport: Duplex): (go: () => void) => void {
  let isCorked = false;
  const write = transport.write.bind(transport) as (...args: unknown[]) => boolean;
  transport.write = (...args: unknown[]): boolean => {
    if (!isCorked) {
      isCorked = true;
      transport.cork();
      process.nextTick(() => {
        isCorked = false;
        transport.uncork();
      });
    }
    return write(...args);
  };
  let waiting: (() => void)[] = [];
  transport.on("drain", () => {
    const due = waiting;
    waiting = [];
    for (const go of due) go();
  });
  return (go) => {
    if (transport.writableLength < aheadBytes) go();
    else waiting.push(go);
  };
}
