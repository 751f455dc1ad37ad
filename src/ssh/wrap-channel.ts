import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import type { Link } from "./link.ts";
import { type Receiver, receiveData } from "./receive-data.ts";
import type { WindowShare } from "./window-budget.ts";

/** A reader that has taken nothing for so long does not hold up the news that what is being sent is not wanted. */
const patienceMs = 500;

/**
 * Given an open channel of a link, return it as a stream that tells the truth where ssh2's own does not:
 * - it ends only where the remote ended it; a lost link is an error, so that a cut download never looks complete;
 * - a write that the remote no longer wants fails with EPIPE instead of never calling back;
 * - `destroy` closes the channel, and `close` comes after it.
 * Both directions end independently (half-close is kept); back-pressure is passed on both ways. With its share of the
 * link's windows the receive window is sized to the way (see `receiveData`), without one it stays ssh2's.
 */
export function wrapChannel(
  channel: ClientChannel,
  link: Link,
  share: WindowShare | undefined,
): Duplex {
  let closed = false;
  let reads = 0;
  let writing: ((error: Error) => void) | undefined;

  const stream = new Duplex({
    allowHalfOpen: true,
    // As of Node 22; a packet alone is more than half of it.
    readableHighWaterMark: 64 * 1024,
    writableHighWaterMark: 64 * 1024,
    read: () => {
      reads++;
      receiver.read();
    },
    write: (chunk: Buffer, _encoding, done) => {
      writing = done;
      // ssh2 would never call back.
      if (closed) return;
      channel.write(chunk, () => {
        link.whenWritable(() => {
          writing = undefined;
          done();
        });
      });
    },
    final: (done) => {
      if (link.isOpen()) channel.end();
      done();
    },
    destroy: (error, done) => {
      if (link.isOpen()) channel.close();
      receiver.stop();
      done(error);
    },
  });
  const deliver = (chunk: Buffer | null): boolean => stream.push(chunk);
  const receiver = share
    ? receiveData(channel, link, share, deliver)
    : receiveFromLibrary(channel, deliver);

  channel.on("end", () => {
    if (link.isOpen()) receiver.end();
    else stream.destroy(link.endError());
  });
  channel.on("close", () => {
    closed = true;
    if (stream.destroyed) return;
    if (!link.isOpen()) return void stream.destroy(link.endError());
    const finish = (): void => {
      clearInterval(timer);
      const unwanted = writing ?? (stream.writableLength > 0 || undefined);
      stream.destroy(
        unwanted &&
          Object.assign(new Error("write EPIPE: the remote end has closed"), { code: "EPIPE" }),
      );
    };
    // What has arrived is read first, unless its reader only writes.
    let seen = -1;
    const timer = setInterval(() => {
      const now = reads + stream.readableLength;
      if (now === seen && (writing || stream.writableLength > 0)) finish();
      seen = now;
    }, patienceMs);
    if (stream.readableEnded) finish();
    else stream.once("end", finish).once("close", () => clearInterval(timer));
  });
  // Once both directions have ended, ssh2 would end its own again, and make an error of it for nobody.
  channel.destroy = () => {
    channel.close();
    return channel;
  };
  const forget = link.onEnd(() => stream.destroy(link.endError()));
  stream.on("close", forget);
  channel.resume();
  return stream;
}

/** The same as `receiveData` with the window that ssh2 sets itself. */
function receiveFromLibrary(
  channel: ClientChannel,
  deliver: (chunk: Buffer | null) => boolean,
): Receiver {
  let stopped = false;
  channel.on("data", (chunk: Buffer) => {
    if (!stopped && !deliver(chunk)) channel.pause();
  });
  return {
    read: () => void channel.resume(),
    end: () => void deliver(null),
    stop: () => {
      stopped = true;
      // What is still to come has no reader, yet must be read for the channel to go.
      channel.resume();
    },
  };
}
