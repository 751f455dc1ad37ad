import type { Duplex } from "node:stream";
import { OperatorError } from "../system/errors.ts";
import { spawnProxyCommand } from "../system/spawn-proxy-command.ts";
import { classifySocketError, hopLabel } from "./classify-error.ts";
import { type ExecuteOptions, execute } from "./execute.ts";
import { forward } from "./forward.ts";
import { readKnownHosts } from "./known-hosts.ts";
import type { Link } from "./link.ts";
import { openSocket } from "./open-socket.ts";
import type { ExitStatus } from "./pump-session.ts";
import type { Hop, Route } from "./route.ts";
import { type Ask, shakeHands } from "./shake-hands.ts";
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
  const { signal, ask, log = () => {}, connectTimeoutMs: timeoutMs = 10_000 } = options;
  signal.throwIfAborted();
  // All of them, so that an unreadable file refuses before anybody is dialled.
  const knownHosts = await Promise.all(route.map((hop) => readKnownHosts(hop.knownHostsFiles)));
  const links: Link[] = [];
  const closeLinks = async (): Promise<void> => {
    for (const link of links.toReversed()) await link.close();
  };
  try {
    for (const [index, hop] of route.entries()) {
      const label = hopLabel(hop, index, route.length);
      const transport = await openTransport(hop, label, links.at(-1), { timeoutMs, signal });
      links.push(
        await shakeHands(transport.stream, {
          hop,
          label,
          knownHosts: knownHosts[index] ?? [],
          timeoutMs,
          signal,
          ask,
          log,
          ...(transport.words && { words: transport.words }),
        }),
      );
      log(`${label}: connected`);
    }
  } catch (error) {
    await closeLinks();
    throw error;
  }
  const last = links.at(-1);
  if (!last) throw new Error("a route has at least one hop");
  void last.ended.then(closeLinks);
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
    close: closeLinks,
  };
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
