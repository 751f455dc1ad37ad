/** Asking a server, in its own protocol, whether it is ready. */
import net from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Endpoint } from "./lab.ts";

/** No server that lives takes that long, however busy the machine is. */
const LIMIT_MS = 600_000;

/**
 * Takes a probe and a signal; returns what the probe returns once it succeeds.
 * Throws with the probe's last error after ten minutes, and at once when aborted.
 */
export async function waitUntilReady<T>(
  what: string,
  probe: () => Promise<T>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 200)) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > end)
        throw new Error(`${what} is not ready: ${(error as Error).message}`, { cause: error });
    }
    await wait(pauseMs);
    signal?.throwIfAborted();
  }
}

/**
 * Takes an endpoint, what to send, and a test for the answer; returns the answer's bytes once they pass.
 * Throws when the server refuses, ends, or stays silent for two seconds.
 */
export function exchange(
  endpoint: Endpoint,
  send: Buffer | string,
  isComplete: (answer: Buffer) => boolean,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(endpoint.port, endpoint.address);
    let answer = Buffer.alloc(0);
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`${endpoint.address}:${endpoint.port} ${reason}`));
    };
    socket.setTimeout(2_000, () => fail("is silent"));
    socket.on("connect", () => socket.write(send));
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => fail(`closed after ${answer.length} bytes`));
    socket.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (!isComplete(answer)) return;
      resolve(answer);
      socket.destroy();
    });
  });
}

/** Takes a URL and headers; returns the body of a 200 answer. Throws on any other and after five seconds. */
export async function fetchBody(
  url: string,
  headers: Record<string, string> = {},
): Promise<Buffer> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
