import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { proposeAlgorithms } from "./algorithms.ts";
import { authenticate, type Authentication } from "./authentication.ts";
import { classifyHandshakeError, lostTransport } from "./classify-error.ts";
import type { AskPassphrase } from "./collect-identities.ts";
import type { LastIdentity } from "./last-identity.ts";
import type { Link } from "./link.ts";
import { NeedsProgramError } from "./needs-program.ts";
import { keepNoChunks } from "./open-socket.ts";
import { paceWrites } from "./pace-writes.ts";
import { type PhaseTimer, startPhaseTimer } from "./phase-timer.ts";
import { readServerAlgorithms } from "./read-server-algorithms.ts";
import type { Hop } from "./route.ts";
import type { HostKeyQuestion } from "./verify-host-key.ts";
import { makeWindowBudget } from "./window-budget.ts";

const goodbyeMs = 500;
const keptBytes = 8192;

/** Who can be asked while a connection is made; absent: nobody, so what would be asked is refused. */
export interface Ask {
  /** Whether the key of an unknown host is right. */
  trustHostKey(question: HostKeyQuestion): Promise<boolean>;
  passphrase: AskPassphrase;
  /** Told that a program is about to ask on the terminal by itself. */
  giveTerminal?(): Promise<void>;
}

/** What a handshake needs besides its transport. */
export interface HandshakeOptions {
  hop: Hop;
  label: string;
  /** Host key types to negotiate, in order of preference before the others. */
  types: readonly string[];
  /** Resolves when the key that the server has shown (wire format) may be trusted, throws what to tell else; asks people through `paused`. */
  verify(key: Buffer, paused: PhaseTimer["paused"]): Promise<void>;
  /** How the host let in the last time. */
  last: LastIdentity;
  /** Told the fingerprint of the key that it let in with now. */
  welcomed(fingerprint: string): void;
  /** Limit for key exchange and authentication; stands still while a person is asked. */
  timeoutMs: number;
  signal: AbortSignal;
  ask: Ask | undefined;
  log(line: string): void;
  /** What the transport's program has said so far, printable. */
  words?: () => string[];
}

/**
 * Given a stream to an SSH server, return the authenticated link on it: the host key is verified before anything else
 * is sent, then the user is authenticated. Throws `access` for keys, `unreachable` for the network, the signal's
 * reason; the stream is gone by then. The stream belongs to the link.
 */
export async function shakeHands(transport: Duplex, options: HandshakeOptions): Promise<Link> {
  const { hop, label, signal, ask, log } = options;
  // Before ssh2 has a handler of its own, an error must not be a crash.
  let transportError: Error | undefined;
  transport.on("error", (error) => (transportError ??= error));
  const whenWritable = paceWrites(transport);
  const client = new Client();
  let clientError: Error | undefined;
  let phase = "waiting for its SSH greeting";
  let received = Buffer.alloc(0);
  let receivedBytes = 0;
  // One that is gone already does not say so again.
  let open = !transport.destroyed;
  let closing = false;
  let readyMs: number | undefined;
  const listeners = new Set<() => void>();
  let tellEnd: (reason: OperatorError | undefined) => void = () => {};
  const ended = new Promise<OperatorError | undefined>((resolve) => (tellEnd = resolve));

  let authentication: Authentication | undefined;
  let reason: Error | undefined;
  const findReason = (): Error => {
    if (!closing) {
      const upMs = performance.now() - (readyMs ?? performance.now());
      return lostTransport(label, transportError ?? clientError, upMs, options.words?.() ?? []);
    }
    if (signal.aborted && signal.reason instanceof Error) return signal.reason;
    return new OperatorError("failed", `${label}: the connection was closed`);
  };
  const endError = (): Error => (reason ??= findReason());
  const close = async (): Promise<void> => {
    closing = true;
    client.end();
    if (!open) return;
    const timer = setTimeout(() => transport.destroy(), goodbyeMs);
    await ended;
    clearTimeout(timer);
  };

  // Ahead of ssh2's own listener, which then ends every channel as if the remote had.
  transport.on("close", () => {
    open = false;
    signal.removeEventListener("abort", abort);
    const lost = !closing;
    const error = endError();
    for (const listener of listeners) listener();
    listeners.clear();
    tellEnd(lost && error instanceof OperatorError ? error : undefined);
  });
  // A forwarded or a program's stream does not close by itself when the far side has ended.
  transport.on("end", () => {
    transport.end();
    // Nor at all where what is still to be sent is not taken: without the far side's half it is lost all the same.
    const timer = setTimeout(() => transport.destroy(), goodbyeMs);
    transport.once("close", () => clearTimeout(timer));
  });
  transport.on("data", (chunk: Buffer) => (receivedBytes += chunk.length));
  const tap = (chunk: Buffer): void => {
    if (received.length < keptBytes) received = Buffer.concat([received, chunk]);
  };
  const abort = (): void => {
    closing = true;
    transport.destroy();
  };
  signal.addEventListener("abort", abort);

  try {
    await new Promise<void>((resolve, reject) => {
      if (!open) return reject(transport.errored ?? new Error("the connection was closed"));
      const timer = startPhaseTimer(options.timeoutMs, () => {
        fail(new Error(`nothing within ${options.timeoutMs / 1000} s`));
      });
      const fail = (error: Error | undefined): void => {
        timer.stop();
        reject(error ?? new Error("the connection was closed"));
      };
      listeners.add(() => fail(transportError ?? clientError));
      let trusted: Buffer | undefined;

      client.on("error", (error) => {
        const level = "level" in error ? error.level : undefined;
        log(`${label}: ${printable(error.message)}`);
        // ssh2 goes on to the next key by itself.
        if (level === "agent") return;
        clientError ??= error;
        // ssh2 only ends its half, and a server that is out of step may never answer that.
        if (readyMs !== undefined) transport.destroy();
        // An error without a last word from the transport: its end follows, and may explain more.
        if (!error.message.includes("lost before handshake") && level !== "client-socket")
          fail(clientError);
      });
      client.on("banner", (text) => log(`${label}: ${printable(text)}`));
      client.on("handshake", ({ sc }) => {
        transport.off("data", tap);
        // GCM decrypts into new memory. Packets before the first key are no more than views of a chunk, and ssh2 has a chacha20 that works in place.
        if (sc.cipher.includes("gcm")) keepNoChunks(transport);
        phase = "authenticating";
      });
      client.on("ready", () => {
        readyMs = performance.now();
        timer.stop();
        const offered = authentication?.offered();
        if (offered !== undefined) options.welcomed(offered);
        resolve();
      });
      authentication = authenticate({
        hop,
        label,
        log,
        fail,
        last: options.last,
        paused: (wait) => timer.paused(wait),
        askPassphrase: (file) => ask?.passphrase(file) ?? Promise.resolve(undefined),
      });
      transport.on("data", tap);
      transport.once("data", () => (phase = "exchanging keys"));

      client.connect({
        sock: transport,
        username: hop.user,
        // Its timer cannot stand still while a person is asked.
        readyTimeout: 0,
        algorithms: proposeAlgorithms(options.types),
        authHandler: authentication.handler,
        hostVerifier: (shown: Buffer, verify: (permitted: boolean) => void) => {
          const key = Buffer.from(shown);
          // Asked again whenever the server renews its keys.
          if (trusted) return verify(trusted.equals(key));
          phase = "verifying the host key";
          options.verify(key, timer.paused).then(
            () => {
              trusted = key;
              if (open) verify(true);
            },
            (error: unknown) => {
              // First, so that ssh2's own words for the refusal come second.
              fail(error instanceof Error ? error : new Error(describeError(error)));
              if (open) verify(false);
            },
          );
        },
      });
    });
  } catch (error) {
    // A goodbye is for a server that can still hear it.
    if (!(error instanceof OperatorError)) abort();
    await close();
    signal.throwIfAborted();
    if (error instanceof OperatorError) throw error;
    const failure = classifyHandshakeError({
      label,
      error: error instanceof Error ? error : undefined,
      phase,
      received,
      offered: readServerAlgorithms(received),
      words: options.words?.() ?? [],
    });
    const because = failure.kind === "access" ? authentication?.needsProgram() : undefined;
    throw because === undefined ? failure : new NeedsProgramError(because, failure);
  }
  return {
    client,
    hop,
    label,
    isOpen: () => open,
    endError,
    onEnd: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ended,
    windows: makeWindowBudget(),
    whenWritable,
    receivedBytes: () => receivedBytes,
    askForReply: () => {
      // RFC 4254, 7.1: the cancelling of a forward that nobody has asked for is refused, and the refusal is a reply.
      try {
        if (open && !closing) client.unforwardIn("127.0.0.1", 0, () => {});
      } catch {
        // ssh2 throws on a link that is about to end; its end follows.
      }
    },
    fail: (lost) => transport.destroy(lost),
    close,
  };
}
