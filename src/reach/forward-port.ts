import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
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
  /** What its clients have got and given so far. */
  bytes(): { received: number; sent: number };
  /** Stop listening and end what is joined. */
  close(): Promise<void>;
}

export interface ForwardOptions {
  /** The connection to take now; one that is on its way is waited for. */
  connect: () => Promise<Connection>;
  /** Told how a socket was served: undefined when it was joined, else why it was not. */
  report: (error?: unknown) => void;
}

/** At most so many sockets wait for the connection, each at most so long. */
const HELD_SOCKETS = 64;
const HELD_MS = 15_000;

/**
 * Given a local port (0: any), serve it at once; the connection may still be on its way, sockets accepted meanwhile are held.
 * One that cannot be forwarded is reset and reported; the others go on. Throws as `listenOnLoopback`.
 */
export async function forwardPort(
  localPort: number,
  target: Target,
  { connect, report }: ForwardOptions,
): Promise<Forward> {
  const sockets = new Set<Socket>();
  const gone = { received: 0, sent: 0 };
  let held = 0;

  /** A socket that has gone meanwhile gives its place to the next one. */
  const take = async (closed: Promise<never>, last?: Connection): Promise<Connection> => {
    if (held >= HELD_SOCKETS) throw new Error(`${HELD_SOCKETS} connections are waiting already`);
    held++;
    try {
      const connection = await Promise.race([connect(), closed]);
      if (connection === last) throw new Error("the connection was lost");
      return connection;
    } finally {
      held--;
    }
  };
  const openChannel = async (closed: Promise<never>): Promise<Duplex> => {
    const connection = await take(closed);
    try {
      return await connection.forward(target);
    } catch (error) {
      if (connection.isOpen()) throw error;
      // Lost under the request, and nothing of the socket was sent yet: the next connection will do.
      return (await take(closed, connection)).forward(target);
    }
  };
  const serve = async (socket: Socket): Promise<void> => {
    let why = "the client has gone";
    const tooLate = setTimeout(() => {
      why = `a connection has waited for ${HELD_MS / 1000} s`;
      socket.resetAndDestroy();
    }, HELD_MS);
    let leave = (): void => {};
    const closed = new Promise<never>((_, reject) => {
      leave = () => reject(new Error(why));
    });
    closed.catch(() => undefined);
    socket.once("close", leave);
    const channel = await openChannel(closed).finally(() => clearTimeout(tooLate));
    socket.off("close", leave);
    if (socket.destroyed) return void channel.destroy();
    report();
    joinStreams(socket, channel);
  };

  const listener = await listenOnLoopback(localPort, (socket) => {
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      gone.received += socket.bytesWritten;
      gone.sent += socket.bytesRead;
    });
    // A client that goes away while it waits is no error of ours; joined sockets have a handler of their own beside this one.
    socket.on("error", () => socket.destroy());
    serve(socket).catch((error: unknown) => {
      report(error);
      socket.resetAndDestroy();
    });
  });
  return {
    port: listener.port,
    bytes: () => {
      const sum = { ...gone };
      for (const socket of sockets) {
        sum.received += socket.bytesWritten;
        sum.sent += socket.bytesRead;
      }
      return sum;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await listener.close();
    },
  };
}
