import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A client that reads nothing for so long does not hold up the news that what it sends is not wanted. */
const patienceMs = 500;

/**
 * Given a local socket that is paused and allows half-open connections, and the channel of its forward, join them until both are closed.
 * Each direction ends on its own. When the channel fails (the connection was lost) the socket is reset, never ended: a cut download
 * must not look complete. A socket that still sends into a closed channel is reset, once what came for it has been read.
 */
export function joinStreams(socket: Socket, channel: Duplex): void {
  let leaving = false;
  /** Reset it behind what has come for it, of which the end has come too. */
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    const reset = (): void => void socket.resetAndDestroy();
    if (socket.writableFinished) return reset();
    const timer = setTimeout(() => {
      // While it says its end, and only then, a socket cannot be reset (libuv: EINVAL), and would stay open.
      if (socket.writableLength > 0) reset();
    }, patienceMs);
    socket.once("finish", reset).once("close", () => clearTimeout(timer));
    socket.end();
  };
  socket.on("data", (chunk: Buffer) => {
    if (!channel.writable) return leave();
    if (!channel.write(chunk)) socket.pause();
  });
  channel.on("drain", () => socket.resume());
  socket.on("end", () => channel.end());

  channel.on("data", (chunk: Buffer) => {
    if (!socket.write(chunk)) channel.pause();
  });
  socket.on("drain", () => channel.resume());
  channel.on("end", () => socket.end());

  channel.on("error", () => {
    if (socket.writableEnded) leave();
    else socket.resetAndDestroy();
  });
  channel.on("close", () => {
    socket.resume();
    // What the far side sent before it closed is still on its way to a local reader that may be slow.
    if (socket.writableFinished) socket.destroy();
    else socket.end(() => socket.destroy());
  });
  socket.on("error", () => channel.destroy());
  socket.on("close", () => channel.destroy());
  socket.resume();
}
