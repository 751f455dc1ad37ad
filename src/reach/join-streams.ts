import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Given a local socket that is paused and allows half-open connections, and the channel of its forward, join them until both are closed.
 * Each direction ends on its own. When the channel fails (the connection was lost) the socket is reset, never ended: a cut download
 * must not look complete. A socket that still sends into a closed channel is destroyed, once what came for it has been read.
 */
export function joinStreams(socket: Socket, channel: Duplex): void {
  socket.on("data", (chunk: Buffer) => {
    if (!channel.writable) return;
    if (!channel.write(chunk)) socket.pause();
  });
  channel.on("drain", () => socket.resume());
  socket.on("end", () => channel.end());

  channel.on("data", (chunk: Buffer) => {
    if (!socket.write(chunk)) channel.pause();
  });
  socket.on("drain", () => channel.resume());
  channel.on("end", () => socket.end());

  channel.on("error", () => socket.resetAndDestroy());
  channel.on("close", () => {
    // What the far side sent before it closed is still on its way to a local reader that may be slow.
    if (socket.writableFinished) socket.destroy();
    else socket.end(() => socket.destroy());
  });
  socket.on("error", () => channel.destroy());
  socket.on("close", () => channel.destroy());
  socket.resume();
}
