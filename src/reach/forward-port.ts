import type { Socket } from "node:net";
import type { Connection } from "../ssh/connect.ts";
import { joinStreams } from "./join-streams.ts";
import { listenOnLoopback } from "./listen-on-loopback.ts";

export interface Target {
  host: string;
  port: number;
}

export interface Forward {
  /** The port on this machine's loopback addresses. */
  port: number;
  /** Stop listening and end what is joined. */
  close(): Promise<void>;
}

/** At most so many sockets wait for the connection, each at most so long. */
const HELD_SOCKETS = 64;
const HELD_MS = 15_000;

/**
 * Given a local port (0: any), serve it at once; the connection may still be on its way, sockets accepted meanwhile are held.
 * One that cannot be forwarded is reset and told to `trace`; the others go on. Throws as `listenOnLoopback`.
 */
export async function forwardPort(
  localPort: number,
  target: Target,
  connection: Promise<Connection>,
  trace: (line: string) => void,
): Promise<Forward> {
  const sockets = new Set<Socket>();
  let held = 0;

  /** Only while there is no connection yet: one that is there opens channels as they are asked for. */
  const hold = async (socket: Socket): Promise<Connection> => {
    if (held >= HELD_SOCKETS) throw new Error(`${HELD_SOCKETS} connections are waiting already`);
    held++;
    const tooLate = setTimeout(() => socket.resetAndDestroy(), HELD_MS);
    try {
      return await connection;
    } finally {
      held--;
      clearTimeout(tooLate);
    }
  };
  const serve = async (socket: Socket): Promise<void> => {
    const way = await hold(socket);
    const channel = await way.forward(target);
    if (socket.destroyed) channel.destroy();
    else joinStreams(socket, channel);
  };

  const listener = await listenOnLoopback(localPort, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that goes away while it waits is no error of ours; joined sockets have a handler of their own beside this one.
    socket.on("error", () => socket.destroy());
    serve(socket).catch((error: unknown) => {
      trace(
        `${target.host}:${target.port}: ${error instanceof Error ? error.message : String(error)}`,
      );
      socket.resetAndDestroy();
    });
  });
  return {
    port: listener.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await listener.close();
    },
  };
}
