import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

const keepAliveAfterMs = 15_000;
/** Several packets of a fast download in one read. */
const readBytes = 256 * 1024;

/** Sockets whose readers keep nothing of a chunk. */
const readInPlace = new WeakSet<Duplex>();

/**
 * Given a stream whose listeners keep nothing of a chunk once they have returned, spare the copy of each, if it is a socket of
 * `openSocket`: half of what a fast download costs is making room for chunks, and clearing it away.
 */
export function keepNoChunks(stream: Duplex): void {
  readInPlace.add(stream);
}

/**
 * Given an address (a DNS name, all of whose addresses are tried, or an IP address), return a connected TCP socket
 * without Nagle's delay and with keepalive, paused. Throws system errors, `ETIMEDOUT` past `timeoutMs` (the lookup included),
 * and the signal's reason.
 */
export function openSocket(
  target: { host: string; port: number },
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    options.signal.throwIfAborted();
    const socket = connect({
      ...target,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveAfterMs,
      onread: {
        buffer: Buffer.allocUnsafeSlow(readBytes),
        callback: (sizeBytes, buffer) => {
          const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, sizeBytes);
          socket.emit("data", readInPlace.has(socket) ? chunk : Buffer.from(chunk));
          return true;
        },
      },
    });
    // What comes before somebody listens would be lost.
    socket.pause();
    const settle = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", abort);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(options.signal.reason);
    const timer = setTimeout(() => {
      fail(
        Object.assign(new Error(`nothing within ${options.timeoutMs / 1000} s`), {
          code: "ETIMEDOUT",
        }),
      );
    }, options.timeoutMs);
    options.signal.addEventListener("abort", abort);
    // Stays for the life of the socket: an error after the connection is somebody else's to report, but never a crash.
    socket.on("error", fail);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}
