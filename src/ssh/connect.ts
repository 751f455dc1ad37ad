import type { Duplex } from "node:stream";
import { OperatorError } from "../system/errors.ts";
import { spawnProxyCommand } from "../system/spawn-proxy-command.ts";
import { classifySocketError, hopLabel } from "./classify-error.ts";
import { type ExecuteOptions, execute } from "./execute.ts";
import { forward } from "./forward.ts";
import { gatherKnownKeys, type KnownKeys } from "./known-keys.ts";
import type { Link } from "./link.ts";
import { openSocket } from "./open-socket.ts";
import type { ExitStatus } from "./pump-session.ts";
import type { Hop, Route } from "./route.ts";
import { type Ask, type HandshakeOptions, shakeHands } from "./shake-hands.ts";
import { type HostKeyQuestion, verifyHostKey } from "./verify-host-key.ts";
import { openShell, type ShellOptions } from "./open-shell.ts";
import { watchLiveness } from "./watch-liveness.ts";

export interface ConnectOptions {
  /** Ends everything, the finished connection included; what is under way throws its reason. */
  signal: AbortSignal;
  /** For each hop: limit of reaching it, and again of key exchange and authentication together. */
  connectTimeoutMs?: number;
  /** Absent: nobody can be asked, so an unknown host key is refused and an encrypted key is not used. */
  ask?: Ask;
  /** Told what is done, for debugging; the lines are printable. */
  log?: (line: string) => void;
}

/** A connection to the last host of a route. */
export interface Connection {
  /** Name of the host. */
  host: string;
  address: string;
  /** For messages: `graphs (10.0.0.7:22)`, with its hop where there are several. */
  label: string;
  /** Open a stream to an address as the host sees it; see `forward`. */
  forward(
    target: { host: string; port: number },
    options?: { timeoutMs?: number },
  ): Promise<Duplex>;
  /** Run one command; see `execute`. */
  execute(command: string, options: ExecuteOptions): Promise<ExitStatus>;
  /** Run the user's shell; see `openShell`. */
  openShell(options: ShellOptions): Promise<ExitStatus>;
  /** False from the moment when the transport ended, whoever ended it. */
  isOpen(): boolean;
  /** Resolves when the transport has ended: to the reason when it was lost, to undefined after `close` or the signal. */
  closed: Promise<OperatorError | undefined>;
  /** End everything that runs on it, then the hops, innermost first. Takes a second per hop at most. */
  close(): Promise<void>;
}

/**
 * Given a route, return a connection to its last host, made hop by hop; each host's key is verified before anything
 * secret is sent to it. Every error names its hop: `unreachable` for the network, `access` for keys, the signal's reason.
 */
export async function connect(route: Route, options: ConnectOptions): Promise<Connection> {
  options.signal.throwIfAborted();
  const links = await openLinks(await gatherAll(route), options);
  const last = links.at(-1);
  if (!last) throw new Error("a route has at least one hop");
  const close = (): Promise<void> => closeLinks(links);
  void last.ended.then(close);
  watchLiveness(last);
  return {
    host: last.hop.name,
    address: last.hop.address,
    label: last.label,
    forward: (target, forwardOptions = {}) => forward(last, target, forwardOptions),
    execute: (command, executeOptions) => execute(last, command, executeOptions),
    openShell: (shellOptions) => openShell(last, shellOptions),
    isOpen: last.isOpen,
    closed: last.ended,
    close,
  };
}

/** What a host has shown, beside what is known of it. */
export interface ShownHostKey {
  label: string;
  hop: Hop;
  known: KnownKeys;
  /** In wire format. */
  key: Buffer;
}

/**
 * Given a route, return the host key that its last host shows: that one is left before any credential is sent to it, the hops
 * before it are logged in to. Errors: those of `connect`.
 */
export async function fetchHostKey(route: Route, options: ConnectOptions): Promise<ShownHostKey> {
  options.signal.throwIfAborted();
  const hops = await gatherAll(route);
  let shown: ShownHostKey | undefined;
  const look = (key: Buffer, { hop, known }: KnownHop, label: string): Promise<void> => {
    shown = { label, hop, known, key };
    return Promise.reject(new OperatorError("cancelled", `${label}: only its key was wanted`));
  };
  const links = await openLinks(hops, options, look).catch((error: unknown) => {
    if (!shown) throw error;
    return [];
  });
  await closeLinks(links);
  if (!shown) throw new Error("a server that lets in has shown a key");
  return shown;
}

interface KnownHop {
  hop: Hop;
  known: KnownKeys;
}

/** Of all hops, so that an unreadable file refuses before anybody is dialled. */
function gatherAll(route: Route): Promise<KnownHop[]> {
  return Promise.all(route.map(async (hop) => ({ hop, known: await gatherKnownKeys(hop) })));
}

/** `look` is shown the last host's key instead of having it verified. */
async function openLinks(
  hops: readonly KnownHop[],
  { signal, ask, log = () => {}, connectTimeoutMs: timeoutMs = 10_000 }: ConnectOptions,
  look?: (key: Buffer, at: KnownHop, label: string) => Promise<void>,
): Promise<Link[]> {
  const links: Link[] = [];
  try {
    for (const [index, at] of hops.entries()) {
      const { hop, known } = at;
      const label = hopLabel(hop, index, hops.length);
      const verify: HandshakeOptions["verify"] = (key, paused) => {
        if (look && index === hops.length - 1) return look(key, at, label);
        const trust =
          ask && ((question: HostKeyQuestion) => paused(() => ask.trustHostKey(question)));
        return verifyHostKey(key, { hop, label, known, trust, log });
      };
      const transport = await openTransport(hop, label, links.at(-1), { timeoutMs, signal });
      links.push(
        await shakeHands(transport.stream, {
          hop,
          label,
          types: known.types,
          verify,
          timeoutMs,
          signal,
          ask,
          log,
          ...(transport.words && { words: transport.words }),
        }),
      );
      log(`${label}: connected`);
    }
    return links;
  } catch (error) {
    await closeLinks(links);
    throw error;
  }
}

async function closeLinks(links: readonly Link[]): Promise<void> {
  for (const link of links.toReversed()) await link.close();
}

interface Transport {
  stream: Duplex;
  words?: () => string[];
}

async function openTransport(
  hop: Hop,
  label: string,
  outer: Link | undefined,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<Transport> {
  if (outer) {
    try {
      return { stream: await forward(outer, { host: hop.address, port: hop.port }, limits) };
    } catch (error) {
      // What the outer hop says about its own end is already complete.
      if (!(error instanceof OperatorError) || !outer.isOpen()) throw error;
      throw new OperatorError(error.kind, `${label}: not reached through ${error.message}`, {
        ...(error.next && { next: error.next }),
        cause: error,
      });
    }
  }
  if (hop.proxyCommand !== undefined) return spawnProxyCommand(hop.proxyCommand);
  try {
    return { stream: await openSocket({ host: hop.address, port: hop.port }, limits) };
  } catch (error) {
    limits.signal.throwIfAborted();
    throw classifySocketError(error, label);
  }
}
