import type { Client, ClientChannel } from "ssh2";
import { usualWindowBytes } from "./window-budget.ts";

/** Members of ssh2's protocol object that it does not document. */
interface LibraryProtocol {
  channelWindowAdjust(channel: number, bytes: number): void;
  directTcpip(channel: number, windowBytes: number, packetBytes: number, addresses: unknown): void;
}

type KnownChannel = ClientChannel & { incoming: { window: number }; outgoing: { id: number } };

/** The receive window of one channel, in our hands. */
export interface LibraryWindow {
  /** What the peer may still send. */
  sizeBytes(): number;
  /** Allow it so much more. */
  add(bytes: number): void;
}

/**
 * Given ssh2's client and a call that asks it for a forward, have it asked for with that first window in place of ssh2's
 * own. Where ssh2 is another than the one that we know, it is asked for as ssh2 does, and false is returned.
 */
export function askWithWindow(client: Client, firstBytes: number, ask: () => void): boolean {
  const protocol = findProtocol(client);
  if (protocol) {
    const { directTcpip } = protocol;
    protocol.directTcpip = (channel, _windowBytes, packetBytes, addresses) =>
      directTcpip.call(protocol, channel, firstBytes, packetBytes, addresses);
  }
  try {
    ask();
  } finally {
    // Off the object; the class still has it.
    if (protocol) Reflect.deleteProperty(protocol, "directTcpip");
  }
  return protocol !== undefined;
}

/** Given a channel that has just opened, return whether its window is where we know it to be. */
export function hasKnownWindow(channel: ClientChannel): channel is KnownChannel {
  const incoming = Reflect.get(channel, "incoming") as { window?: unknown } | undefined;
  const outgoing = Reflect.get(channel, "outgoing") as { id?: unknown } | undefined;
  return incoming?.window === usualWindowBytes && typeof outgoing?.id === "number";
}

/**
 * Given a channel that was asked for so, take its incoming data and its window out of ssh2's hands: `arrive` is called with
 * each chunk as it comes, and the window is topped up by nobody but us. ssh2's end of the stream stays as it is: once
 * resumed, the channel emits `end` and `close`. Throws where the window is not where we know it to be.
 */
export function takeWindow(
  client: Client,
  channel: ClientChannel,
  firstBytes: number,
  arrive: (chunk: Buffer) => void,
): LibraryWindow {
  const protocol = findProtocol(client);
  if (!protocol || !hasKnownWindow(channel))
    throw new Error("ssh2 is another than the one we know");
  const { incoming, outgoing } = channel;
  incoming.window = firstBytes;
  const push = channel.push.bind(channel);
  channel.push = (chunk: Buffer | null) => {
    if (chunk === null) return push(null);
    arrive(chunk);
    // For a full stream ssh2 does not top up.
    return false;
  };
  // ssh2 would when it is read again.
  channel._read = () => {};
  return {
    sizeBytes: () => incoming.window,
    add: (bytes) => {
      incoming.window += bytes;
      protocol.channelWindowAdjust(outgoing.id, bytes);
    },
  };
}

function findProtocol(client: Client): LibraryProtocol | undefined {
  const protocol: unknown = Reflect.get(client, "_protocol");
  const isOurs =
    typeof protocol === "object" &&
    protocol !== null &&
    ["channelWindowAdjust", "directTcpip"].every(
      (name) => typeof Reflect.get(protocol, name) === "function",
    );
  return isOurs ? (protocol as LibraryProtocol) : undefined;
}
