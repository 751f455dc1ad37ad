/** Ports that nobody listens on. */
import { randomInt } from "node:crypto";
import net from "node:net";

// Below what the kernel gives to outgoing connections, so that none of them takes a port between our look and its use.
const LOWEST = 12_000;
const HIGHEST = 32_000;

/** Takes an address and a port; returns whether a server could listen there now. */
function isPortFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/**
 * Returns a function that takes an address, and a port when a certain one is wished for, and returns a free port:
 * the wished one when it is free, and never the same number twice. It throws when it finds none.
 */
export function createPortPicker(): (address: string, wished?: number) => Promise<number> {
  const given = new Set<number>();
  return async (address, wished) => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const port = attempt === 0 && wished !== undefined ? wished : randomInt(LOWEST, HIGHEST);
      if (given.has(port)) continue;
      given.add(port);
      if (await isPortFree(address, port)) return port;
    }
    throw new Error(`lab: no free port on ${address}`);
  };
}
