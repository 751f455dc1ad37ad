import { connect, type Socket } from "node:net";

const keepAliveAfterMs = 15_000;

/**
 * Given an address (a DNS name, all of whose addresses are tried, or an IP address), return a connected TCP socket
 * without Nagle's delay and with keepalive. Throws system errors, `ETIMEDOUT` past `timeoutMs` (the lookup included),
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
    });
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
