import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Given a local socket that is paused and allows half-open connections, and the channel of its forward, join them until both are closed.
 * Each direction ends on its own. When `isLost` says that the transport broke, the socket is reset, never ended: a cut download must
 * not look complete. A socket that still sends into a closed channel is destroyed, since ssh2 would never call its write back.
 */
export function joinStreams(socket: Socket, channel: Duplex, isLost: () => boolean): void {
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
  channel.on("end", () => {
    if (isLost()) socket.resetAndDestroy();
    else socket.end();
  });

  channel.on("close", () => {
    if (isLost()) socket.resetAndDestroy();
    else if (socket.writableEnded) destroyOnceFlushed(socket);
    else socket.end(() => socket.destroy());
  });
  channel.on("error", () => socket.resetAndDestroy());
  socket.on("error", () => channel.destroy());
  socket.on("close", () => channel.destroy());
  socket.resume();
}

/** What the far side sent before it closed is still on its way to a local reader that may be slow. */
function destroyOnceFlushed(socket: Socket): void {
  if (socket.writableFinished) socket.destroy();
  else socket.once("finish", () => socket.destroy());
}
