import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { runWithLog } from "../system/run-with-log.ts";
import { formatKnownHost } from "./append-known-host.ts";
import { lostTransport } from "./classify-error.ts";
import type { LinkState } from "./link.ts";
import { type MuxChannel, type MuxChannelEnd, openMuxChannel } from "./mux-channel.ts";
import { endMaster, type Mux, openMux } from "./open-mux.ts";
import { programAlias, type ProgramHop, writeProgramConfig } from "./program-config.ts";
import type { Hop } from "./route.ts";

const keptLines = 3;

/** A hop as the `ssh` program is to reach it. */
export interface VerifiedHop {
  hop: Hop;
  /** In wire format; absent: a certificate authority of its known_hosts files vouches for it, and `ssh` checks that. */
  key?: Buffer;
}

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
  // Not below the state folder: a socket's path may have a hundred characters only.
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `lcops-ssh-${process.pid}-`));
  const logFile = join(folder, "log");
  const controlPath = join(folder, "s");
  const clean = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const configFile = await writeFiles(hops, folder, controlPath, options);
    const args = ["-F", configFile, "-E", logFile, "-N", "-T", programAlias(hops.length - 1)];
    // It ends once its background part is connected and listens.
    const code = await runWithLog("ssh", args, { logFile, asks: options.canAsk, signal });
    if (code !== 0) throw refuse(await readWords(logFile), label, hop);
    const mux = await openMux(controlPath).catch((error: unknown) => {
      throw new OperatorError("failed", `${label}: ${describeError(error)}`, { cause: error });
    });
    return makeLink(mux, {
      hop,
      label,
      signal,
      controlPath,
      clean,
      words: () => readWords(logFile),
    });
  } catch (error) {
    await endMaster(controlPath);
    await clean();
    throw error;
  }
}

/** Folders of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const pid = Number(/^lcops-ssh-(\d+)-/.exec(name)?.[1]);
      if (!(pid > 0) || isRunning(pid)) return;
      // Another user's stays where it is.
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

async function writeFiles(
  hops: readonly VerifiedHop[],
  folder: string,
  controlPath: string,
  options: { canAsk: boolean; timeoutMs: number },
): Promise<string> {
  const knownHosts = join(folder, "known_hosts");
  const lines = hops.flatMap(({ key }, index) =>
    key ? [formatKnownHost(programAlias(index), key)] : [],
  );
  await writeFile(knownHosts, `${lines.join("\n")}\n`, { mode: 0o600 });
  const configured = hops.map(({ hop, key }): ProgramHop => {
    const own = hop.identity ? [hop.identity.knownHostsFile] : [];
    return {
      hop,
      isPinned: key !== undefined,
      knownHostsFiles: key ? [knownHosts] : [...own, ...hop.knownHostsFiles],
    };
  });
  const text = writeProgramConfig(configured, {
    controlPath,
    canAsk: options.canAsk,
    connectTimeoutMs: options.timeoutMs,
  });
  const configFile = join(folder, "config");
  await writeFile(configFile, text, { mode: 0o600 });
  return configFile;
}

async function readWords(logFile: string): Promise<string[]> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.trim().split(/\r?\n/).filter(Boolean).slice(-keptLines).map(printable);
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
  own: {
    hop: Hop;
    label: string;
    signal: AbortSignal;
    controlPath: string;
    clean: () => Promise<void>;
    words: () => Promise<string[]>;
  },
): ProgramLink {
  const { label, signal } = own;
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
    const words = closing ? [] : await own.words();
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
    await own.clean();
    return lost;
  });
  const close = async (): Promise<void> => {
    closing = true;
    await endMaster(own.controlPath);
    mux.close();
    await ended;
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
