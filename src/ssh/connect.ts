import type { Duplex } from "node:stream";
import { OperatorError } from "../system/errors.ts";
import type { ExecuteOptions } from "./execute.ts";
import type { KnownKeys } from "./known-keys.ts";
import {
  closeStages,
  type ConnectOptions,
  gatherAll,
  type KnownHop,
  openStages,
} from "./open-stages.ts";
import type { ShellOptions } from "./open-shell.ts";
import type { ExitStatus } from "./pump-session.ts";
import type { Hop, Route } from "./route.ts";

export type { ConnectOptions };

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
  const stages = await openStages(await gatherAll(route), options);
  const last = stages.at(-1);
  if (!last) throw new Error("a route has at least one hop");
  const close = (): Promise<void> => closeStages(stages);
  void last.ended.then(close);
  return {
    host: last.hop.name,
    address: last.hop.address,
    label: last.label,
    forward: last.forward,
    execute: last.execute,
    openShell: last.openShell,
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
  const stages = await openStages(hops, options, look).catch((error: unknown) => {
    if (!shown) throw error;
    return [];
  });
  await closeStages(stages);
  if (!shown) throw new Error("a server that lets in has shown a key");
  return shown;
}
