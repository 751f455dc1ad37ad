import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import type { Endpoint } from "../../src/reach/service-place.ts";

export interface ScriptedServer extends Endpoint {
  /** Sockets that are open now. */
  sockets: Set<Socket>;
  stop(): Promise<void>;
}

/** Start a server on loopback that does `script` with each connection. */
export async function startScripted(script: (socket: Socket) => void): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    script(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    host: "127.0.0.1",
    port,
    sockets,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Say `text` once the client has said something. */
export const answerWith =
  (text: string | Buffer) =>
  (socket: Socket): void =>
    void socket.once("data", () => socket.end(text));

/** Say `bytes` one by one, each in a packet of its own. */
export const drip =
  (bytes: Buffer, everyMs = 1) =>
  (socket: Socket): void => {
    socket.setNoDelay(true);
    let next = 0;
    const timer = setInterval(() => {
      if (next < bytes.length) socket.write(bytes.subarray(next, ++next));
    }, everyMs);
    socket.on("close", () => clearInterval(timer));
  };

/** An HTTP answer with a body of the right length. */
export function httpAnswer(status: number, body: string, headers: readonly string[] = []): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [`HTTP/1.1 ${status} Status`, ...headers, length, "Connection: close", "", body].join(
    "\r\n",
  );
}
