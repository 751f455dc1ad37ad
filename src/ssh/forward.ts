import type { Duplex } from "node:stream";
import type { Link } from "./link.ts";
import { openChannel } from "./open-channel.ts";
import { wrapChannel } from "./wrap-channel.ts";

const openTimeoutMs = 10_000;

/**
 * Given a link and an address as its host sees it, return a stream to that address. Its end is the remote's own end;
 * when the link is lost it fails with the reason instead, and unwanted writes fail with EPIPE (see `wrapChannel`).
 * Throws `access` where the server forbids it, `unreachable` where nothing answers there, and the link's end.
 */
export function forward(
  link: Link,
  target: { host: string; port: number },
  limits: { timeoutMs?: number } = {},
): Promise<Duplex> {
  return openChannel(
    link,
    `${target.host}:${target.port}`,
    { timeoutMs: limits.timeoutMs ?? openTimeoutMs },
    // Where the connection comes from is for the server's log only.
    (done) => link.client.forwardOut("127.0.0.1", 0, target.host, target.port, done),
    (channel) => wrapChannel(channel, link),
  );
}
