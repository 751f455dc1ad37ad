import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import type { Link } from "./link.ts";

/**
 * Given an open channel of a link, return it as a stream that tells the truth where ssh2's own does not:
 * - it ends only where the remote ended it; a lost link is an error, so that a cut download never looks complete;
 * - a write that the remote no longer wants fails with EPIPE instead of never calling back;
 * - `destroy` closes the channel, and `close` comes after it.
 * Both directions end independently (half-close is kept); back-pressure is passed on both ways.
 */
export function wrapChannel(channel: ClientChannel, link: Link): Duplex {
  let closed = false;
  let writing: ((error: Error) => void) | undefined;

  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void channel.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      writing = done;
      // ssh2 would never call back.
      if (closed) return;
      channel.write(chunk, () => {
        writing = undefined;
        done();
      });
    },
    final: (done) => {
      if (link.isOpen()) channel.end();
      done();
    },
    destroy: (error, done) => {
      if (link.isOpen()) channel.close();
      // What is still to come has no reader, yet must be read for the channel to go.
      channel.resume();
      done(error);
    },
  });

  channel.on("data", (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) channel.pause();
  });
  channel.on("end", () => {
    if (link.isOpen()) stream.push(null);
    else stream.destroy(link.endError());
  });
  channel.on("close", () => {
    closed = true;
    if (!link.isOpen()) return void stream.destroy(link.endError());
    const finish = (): void => {
      const unwanted = writing ?? (stream.writableLength > 0 || undefined);
      stream.destroy(
        unwanted &&
          Object.assign(new Error("write EPIPE: the remote end has closed"), { code: "EPIPE" }),
      );
    };
    // What has arrived is read first.
    if (stream.readableEnded) finish();
    else stream.once("end", finish);
  });
  const forget = link.onEnd(() => stream.destroy(link.endError()));
  stream.on("close", forget);
  return stream;
}
