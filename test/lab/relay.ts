/** A TCP relay on loopback that can be as bad as a network: slow, far, stuck, cut. */
import net from "node:net";
import { createPipe } from "./relay-pipe.ts";
import type { Link, Pipe } from "./relay-pipe.ts";

export type RelaySettings = {
  /** Round trip; each direction takes half of it. */
  delayMs?: number;
  /** Of each direction, over all connections; 0 is no limit. */
  bytesPerSecond?: number;
};
export type RelayOptions = RelaySettings & {
  /** Where to relay to. */
  host: string;
  port: number;
  /** Where to listen: any free port of 127.0.0.1 when absent. */
  listen?: { address?: string; port?: number };
};
type RelayCounters = {
  connections: number;
  open: number;
  /** The most that were open at the same time. */
  mostOpen: number;
  bytesToServer: number;
  bytesToClient: number;
  /** Taken from one side and not yet given to the other. */
  bytesHeld: number;
};
export type Relay = {
  address: string;
  port: number;
  /** Changes the settings of what is sent from now on. */
  set(settings: RelaySettings): void;
  /** Nothing passes, nothing closes: a network that swallows all. */
  stall(): void;
  resume(): void;
  /** Ends both sides of every connection. */
  cut(): void;
  /** The same, by a reset. */
  reset(): void;
  /** Ends what flows towards that side; the other direction goes on. */
  halfClose(side: "client" | "server"): void;
  /** Resets new connections at once until told otherwise. */
  refuse(on: boolean): void;
  counters(): RelayCounters;
  close(): Promise<void>;
};

type Connection = { client: net.Socket; server: net.Socket; toServer: Pipe; toClient: Pipe };

function endBoth({ client, server }: Connection, how: "destroy" | "resetAndDestroy"): void {
  client[how]();
  server[how]();
}

/** What one side suffers the other learns at once; an orderly end travels through the pipe, behind the data. */
function watchEnd(socket: net.Socket, other: net.Socket): void {
  socket.on("error", () => other.resetAndDestroy());
  socket.on("close", () => {
    if (!socket.readableEnded) other.destroy();
  });
}

/** Takes where to relay to and how badly; returns the relay once it listens. Throws when it cannot. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const link: Link = { oneWayMs: 0, bytesPerSecond: 0, stalled: false };
  const set = (settings: RelaySettings) => {
    if (settings.delayMs !== undefined) link.oneWayMs = settings.delayMs / 2;
    if (settings.bytesPerSecond !== undefined) link.bytesPerSecond = settings.bytesPerSecond;
  };
  set(options);
  const towardsServer = { freeAt: 0, bytes: 0 };
  const towardsClient = { freeAt: 0, bytes: 0 };
  const open = new Set<Connection>();
  let connections = 0;
  let mostOpen = 0;
  let refusing = false;

  const accept = (client: net.Socket) => {
    if (refusing) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const server = net.connect({
      host: options.host,
      port: options.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    client.setNoDelay(true);
    const toServer = createPipe({ from: client, to: server, link, lane: towardsServer });
    const toClient = createPipe({ from: server, to: client, link, lane: towardsClient });
    const connection = { client, server, toServer, toClient };
    open.add(connection);
    mostOpen = Math.max(mostOpen, open.size);
    watchEnd(client, server);
    watchEnd(server, client);
    let closed = 0;
    for (const socket of [client, server])
      socket.on("close", () => {
        closed += 1;
        if (closed < 2) return;
        open.delete(connection);
        toServer.stop();
        toClient.stop();
      });
  };

  const listener = net.createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(
      { host: options.listen?.address ?? "127.0.0.1", port: options.listen?.port ?? 0 },
      resolve,
    );
  });
  const { address, port } = listener.address() as net.AddressInfo;
  const forEachPipe = (act: (pipe: Pipe) => void) => {
    for (const { toServer, toClient } of open) [toServer, toClient].forEach(act);
  };
  const endAll = (how: "destroy" | "resetAndDestroy") => {
    for (const connection of open) endBoth(connection, how);
  };
  return {
    address,
    port,
    set,
    stall: () => {
      link.stalled = true;
      forEachPipe((pipe) => pipe.pump());
    },
    resume: () => {
      link.stalled = false;
      forEachPipe((pipe) => pipe.pump());
    },
    cut: () => endAll("destroy"),
    reset: () => endAll("resetAndDestroy"),
    halfClose: (side) => {
      for (const { toServer, toClient } of open) (side === "client" ? toClient : toServer).end();
    },
    refuse: (on) => {
      refusing = on;
    },
    counters: () => {
      let bytesHeld = 0;
      forEachPipe((pipe) => {
        bytesHeld += pipe.heldBytes();
      });
      return {
        connections,
        mostOpen,
        open: open.size,
        bytesToServer: towardsServer.bytes,
        bytesToClient: towardsClient.bytes,
        bytesHeld,
      };
    },
    close: () => {
      endAll("destroy");
      return new Promise((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}
