import type { Link } from "../../src/ssh/link.ts";
import { readKnownHosts } from "../../src/ssh/known-hosts.ts";
import { openSocket } from "../../src/ssh/open-socket.ts";
import type { Hop } from "../../src/ssh/route.ts";
import { shakeHands } from "../../src/ssh/shake-hands.ts";

/** One connection without its face, for what is not seen from outside. */
export async function openLink(hop: Hop): Promise<Link> {
  const { signal } = new AbortController();
  const limits = { timeoutMs: 10_000, signal };
  return shakeHands(await openSocket({ host: hop.address, port: hop.port }, limits), {
    ...limits,
    hop,
    label: hop.name,
    knownHosts: await readKnownHosts(hop.knownHostsFiles),
    ask: undefined,
    log: () => undefined,
  });
}
