import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { runWithLog } from "../system/run-with-log.ts";
import { lostTransport } from "./classify-error.ts";
import type { LinkState } from "./link.ts";
import { type MuxChannel, type MuxChannelEnd, openMuxChannel } from "./mux-channel.ts";
import { endMaster, type Mux, openMux } from "./open-mux.ts";
import { programAlias } from "./program-config.ts";
import { makeProgramFolder, type ProgramFolder, type VerifiedHop } from "./program-folder.ts";
import type { Hop } from "./route.ts";

/** A connection that the `ssh` program has made. */
export interface ProgramLink extends LinkState {
  hop: Hop;
  ended: Promise<OperatorError | undefined>;
  /** Open a channel of that type (RFC 4254, 5.1). */
  open(
    type: string,
    fields: Buffer,
    opened: (error: Error | undefined, channel: MuxChannel) => void,
  ): void;
  close(): Promise<void>;
}

/**
 * Given hops, outermost first, have the `ssh` program connect to the last of them, as a master with a socket in a private folder, and
 * return its connection. It takes no host key but the verified ones. With `canAsk` it asks on the terminal for what a key needs
 * (passphrase, PIN, touch). Throws `access` where it is not let in, `unreachable` for the rest, `missing` where there is no `ssh`.
 */
export async function openProgramLink(
  hops: readonly VerifiedHop[],
  label: string,
  options: { signal: AbortSignal; canAsk: boolean; timeoutMs: number },
): Promise<ProgramLink> {
  const { signal } = options;
  const hop = hops.at(-1)?.hop;
  if (!hop) throw new Error("a route has at least one hop");
  const folder = await makeProgramFolder(hops, options);
  const { controlPath, logFile } = folder;
  try {
    const args = [
      "-F",
      folder.configFile,
      "-E",
      logFile,
      "-N",
      "-T",
      programAlias(hops.length - 1),
    ];
    // It ends once its background part is connected and listens.
    const code = await runWithLog("ssh", args, { logFile, asks: options.canAsk, signal });
    if (code !== 0) throw refuse(await folder.readWords(), label, hop);
    const mux = await openMux(controlPath).catch((error: unknown) => {
      throw new OperatorError("failed", `${label}: ${describeError(error)}`, { cause: error });
    });
    return makeLink(mux, { hop, label, signal, folder });
  } catch (error) {
    await endMaster(controlPath);
    await folder.remove();
    throw error;
  }
}

function refuse(words: readonly string[], label: string, hop: Hop): OperatorError {
  const said = words.join("\n");
  if (said.includes("Permission denied") || said.includes("Too many authentication failures")) {
    return new OperatorError(
      "access",
      `${label}: the server does not let ${printable(hop.user)} in, through the ssh program either`,
      { details: words, next: "check the user, and that the certificate or key is valid for it" },
    );
  }
  if (/Host key verification failed|IDENTIFICATION HAS CHANGED/.test(said)) {
    return new OperatorError("access", `${label}: the ssh program refuses the host key`, {
      details: words,
      next: `see what known_hosts has for its authority; if the key is right: lcops hosts trust ${printable(hop.name)}`,
    });
  }
  return new OperatorError("unreachable", `${label}: the ssh program could not connect`, {
    details: words,
    next: "see what it says below",
  });
}

function makeLink(
  mux: Mux,
  own: { hop: Hop; label: string; signal: AbortSignal; folder: ProgramFolder },
): ProgramLink {
  const { label, signal, folder } = own;
  const channels = new Map<number, MuxChannelEnd>();
  const listeners = new Set<() => void>();
  const readyMs = performance.now();
  let nextId = 0;
  let open = true;
  let closing = false;
  let reason: Error | undefined;

  mux.receive((message) => {
    const type = message[0] ?? 0;
    // Below are global requests, which nobody here waits for.
    if (type > 90 && message.length >= 5)
      channels.get(message.readUInt32BE(1))?.take(type, message.subarray(5));
  });
  const ended = mux.ended.then(async () => {
    // Its last words first: they are the reason.
    const words = closing ? [] : await folder.readWords();
    const upMs = performance.now() - readyMs;
    const lost = closing ? undefined : lostTransport(label, undefined, upMs, words);
    reason =
      lost ??
      (signal.aborted && signal.reason instanceof Error
        ? signal.reason
        : new OperatorError("failed", `${label}: the connection was closed`));
    open = false;
    signal.removeEventListener("abort", abort);
    for (const listener of listeners) listener();
    for (const channel of channels.values()) channel.lose(reason);
    return lost;
  });
  // Whoever waits for the end does not wait for this.
  const removed = ended.then(folder.remove);
  const close = async (): Promise<void> => {
    closing = true;
    await endMaster(folder.controlPath);
    mux.close();
    await removed;
  };
  const abort = (): void => void close();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return {
    hop: own.hop,
    label,
    ended,
    isOpen: () => open,
    endError: () => reason ?? new OperatorError("failed", `${label}: the connection was closed`),
    onEnd: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    open: (type, fields, opened) => {
      const id = nextId++;
      const end = openMuxChannel(mux, id, type, fields, opened, () => channels.delete(id));
      channels.set(id, end);
    },
    close,
  };
}
