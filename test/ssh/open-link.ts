import type { Socket } from "node:net";
import type { Link } from "../../src/ssh/link.ts";
import { gatherKnownKeys } from "../../src/ssh/known-keys.ts";
import { openSocket } from "../../src/ssh/open-socket.ts";
import type { Hop } from "../../src/ssh/route.ts";
import { shakeHands } from "../../src/ssh/shake-hands.ts";
import { verifyHostKey } from "../../src/ssh/verify-host-key.ts";

/** One connection without its face, for what is not seen from outside; `meddle` has the socket before the handshake. */
export async function openLink(
  hop: Hop,
  meddle: (socket: Socket) => Promise<void> = () => Promise.resolve(),
): Promise<Link> {
  const { signal } = new AbortController();
  const known = await gatherKnownKeys(hop);
  const limits = { timeoutMs: 10_000, signal };
  const socket = await openSocket({ host: hop.address, port: hop.port }, limits);
  await meddle(socket);
  return shakeHands(socket, {
    ...limits,
    hop,
    label: hop.name,
    types: known.types,
    verify: (key) =>
      verifyHostKey(key, { hop, label: hop.name, known, trust: undefined, log: () => {} }),
    last: {},
    welcomed: () => undefined,
    ask: undefined,
    log: () => undefined,
  });
}
