import type { Duplex } from "node:stream";
import { OperatorError } from "../system/errors.ts";
import { spawnProxyCommand } from "../system/spawn-proxy-command.ts";
import { classifySocketError, hopLabel } from "./classify-error.ts";
import { findAuthority, gatherKnownKeys, type KnownKeys } from "./known-keys.ts";
import { recallIdentity, rememberIdentity } from "./last-identity.ts";
import type { Link } from "./link.ts";
import { NeedsProgramError } from "./needs-program.ts";
import { openSocket } from "./open-socket.ts";
import type { Hop, Route } from "./route.ts";
import { type Ask, shakeHands } from "./shake-hands.ts";
import { type Stage, stageOf, stageOfProgram } from "./stage.ts";
import { describeAuthority, type HostKeyQuestion, verifyHostKey } from "./verify-host-key.ts";
import { watchLiveness } from "./watch-liveness.ts";

const defaultTimeoutMs = 10_000;

export interface ConnectOptions {
  /** Ends everything, the finished connection included; what is under way throws its reason. */
  signal: AbortSignal;
  /** For each hop: limit of reaching it, and again of key exchange and authentication together. */
  connectTimeoutMs?: number;
  /** Absent: nobody can be asked, so an unknown host key is refused and an encrypted key is not used. */
  ask?: Ask;
  /** Told what the operator should know: that it goes through the `ssh` program. */
  note?: (line: string) => void;
  /** Told what is done, for debugging; the lines are printable. */
  log?: (line: string) => void;
  /** Where is kept with which key each host has let in; absent: nowhere. */
  stateFolder?: string;
}

/** A hop, and what is known of its keys. */
export interface KnownHop {
  hop: Hop;
  known: KnownKeys;
  /** The key that was verified in this run. */
  key?: Buffer;
}

/** Given a route, return what is known of all its hops, so that an unreadable file refuses before anybody is dialled. */
export function gatherAll(route: Route): Promise<KnownHop[]> {
  return Promise.all(route.map(async (hop) => ({ hop, known: await gatherKnownKeys(hop) })));
}

/**
 * Given hops, outermost first, return a connection to each of them, through the `ssh` program where ssh2 cannot make it. `look` is
 * shown the last host's key instead of having it verified. Errors: those of `connect`; nothing stays open then.
 */
export async function openStages(
  hops: readonly KnownHop[],
  options: ConnectOptions,
  look?: (key: Buffer, at: KnownHop, label: string) => Promise<void>,
): Promise<Stage[]> {
  const { log = () => {} } = options;
  const stages: Stage[] = [];
  try {
    for (const [index, at] of hops.entries()) {
      const label = hopLabel(at.hop, index, hops.length);
      const isLast = index === hops.length - 1;
      try {
        const link = await openLink(at, label, stages.at(-1), options, isLast ? look : undefined);
        if (isLast) watchLiveness(link);
        stages.push(stageOf(link));
      } catch (error) {
        const because = whyProgram(error, at);
        if (because === undefined) throw error;
        // It goes the whole way up to here by itself.
        await closeStages(stages.splice(0));
        stages.push(
          await openWithProgram(hops.slice(0, index + 1), label, because, error, options),
        );
      }
      log(`${label}: connected`);
    }
    return stages;
  } catch (error) {
    await closeStages(stages);
    throw error;
  }
}

async function openLink(
  at: KnownHop,
  label: string,
  outer: Stage | undefined,
  options: ConnectOptions,
  look: ((key: Buffer, at: KnownHop, label: string) => Promise<void>) | undefined,
): Promise<Link> {
  const { signal, ask, log = () => {}, connectTimeoutMs: timeoutMs = defaultTimeoutMs } = options;
  const { hop, known } = at;
  const last = await recallIdentity(options.stateFolder, hop);
  const transport = await openTransport(hop, label, outer, { timeoutMs, signal });
  return shakeHands(transport.stream, {
    hop,
    label,
    types: known.types,
    verify: async (key, paused) => {
      if (look) return look(key, at, label);
      const trust =
        ask && ((question: HostKeyQuestion) => paused(() => ask.trustHostKey(question)));
      await verifyHostKey(key, { hop, label, known, trust, log });
      at.key = key;
    },
    last,
    welcomed: (fingerprint) => void rememberIdentity(options.stateFolder, hop, { fingerprint }),
    timeoutMs,
    signal,
    ask,
    log,
    ...(transport.words && { words: transport.words }),
  });
}

function whyProgram(error: unknown, { hop, known }: KnownHop): string | undefined {
  if (error instanceof NeedsProgramError) return error.because;
  // A server that has certificates alone.
  const isWithoutKey =
    error instanceof OperatorError && /no matching host key/i.test(error.message);
  const authority = isWithoutKey ? findAuthority(hop, known.entries) : undefined;
  return authority && describeAuthority(authority);
}

async function openWithProgram(
  hops: readonly KnownHop[],
  label: string,
  because: string,
  cause: unknown,
  options: ConnectOptions,
): Promise<Stage> {
  const { signal, note = () => {}, stateFolder, connectTimeoutMs = defaultTimeoutMs } = options;
  const hop = hops.at(-1)?.hop;
  note(`${label}: through the ssh program, because ${because}`);
  const { openProgramLink } = await import("./program-link.ts");
  try {
    await options.ask?.giveTerminal?.();
    const program = { signal, canAsk: options.ask !== undefined, timeoutMs: connectTimeoutMs };
    const link = await openProgramLink(hops, label, program);
    if (hop) await rememberIdentity(stateFolder, hop, { throughProgram: true });
    return stageOfProgram(link);
  } catch (error) {
    signal.throwIfAborted();
    if (hop) await rememberIdentity(stateFolder, hop, {});
    throw error instanceof OperatorError && error.kind === "missing" ? cause : error;
  }
}

/** Given connections, end them, innermost first. */
export async function closeStages(stages: readonly Stage[]): Promise<void> {
  for (const stage of stages.toReversed()) await stage.close();
}

interface Transport {
  stream: Duplex;
  words?: () => string[];
}

async function openTransport(
  hop: Hop,
  label: string,
  outer: Stage | undefined,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<Transport> {
  if (outer) {
    try {
      return { stream: await outer.forward({ host: hop.address, port: hop.port }, limits) };
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
