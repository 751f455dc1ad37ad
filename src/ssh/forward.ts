import type { Duplex } from "node:stream";
import { OperatorError } from "../system/errors.ts";
import { askWithWindow, hasKnownWindow } from "./library-window.ts";
import type { Link } from "./link.ts";
import { openChannel } from "./open-channel.ts";
import { wrapChannel } from "./wrap-channel.ts";

const openTimeoutMs = 10_000;

/**
 * Given a link and an address as its host sees it, return a stream to that address. Its end is the remote's own end;
 * when the link is lost it fails with the reason instead, and unwanted writes fail with EPIPE (see `wrapChannel`).
 * Throws `access` where the server forbids it, `unreachable` where nothing answers there or the link has no room for one
 * more within the limit, and the link's end.
 */
export async function forward(
  link: Link,
  target: { host: string; port: number },
  limits: { timeoutMs?: number } = {},
): Promise<Duplex> {
  const { timeoutMs = openTimeoutMs } = limits;
  const { client, windows } = link;
  const share = await windows.join(timeoutMs);
  if (!share) {
    throw new OperatorError(
      "unreachable",
      `${link.label}: too many connections go through it, and none of them ended within ${timeoutMs / 1000} s`,
    );
  }
  const beganMs = performance.now();
  let isOurs = false;
  let stream: Duplex | undefined;
  try {
    stream = await openChannel(
      link,
      `${target.host}:${target.port}`,
      { timeoutMs },
      (done) => {
        // Where the connection comes from is for the server's log only.
        const ask = (): unknown =>
          client.forwardOut("127.0.0.1", 0, target.host, target.port, done);
        if (windows.isOurs()) isOurs = askWithWindow(client, share.firstBytes, ask);
        else ask();
      },
      (channel) => {
        windows.noteRoundTrip(performance.now() - beganMs);
        if (!isOurs || hasKnownWindow(channel)) {
          return wrapChannel(channel, link, isOurs ? share : undefined);
        }
        channel.close();
        return undefined;
      },
    );
  } finally {
    if (!stream) share.leave();
  }
  if (stream) return stream;
  // This ssh2 takes our first window and hides the rest: from now on all is as it does it.
  windows.leaveToLibrary();
  return forward(link, target, limits);
}
