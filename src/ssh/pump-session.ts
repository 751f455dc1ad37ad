import type { Duplex, Readable, Writable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { errorCode, OperatorError } from "../system/errors.ts";
import { filterEscapes } from "./filter-escapes.ts";
import type { LinkState } from "./link.ts";

/** How a remote command ended: by itself, or by a signal (`SIGTERM`). */
export type ExitStatus = { code: number } | { signal: string };

/** A terminal's size in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** The local terminal for which a remote one is asked; raw mode is the caller's business. */
export interface SessionTerminal extends TerminalSize {
  /** `xterm-256color`, … */
  term: string;
  /** Have the listener called on every change of size; returns how to take it back. */
  onResize?: (listener: (size: TerminalSize) => void) => () => void;
}

/** What a session needs of its channel, be it ssh2's or the `ssh` program's. */
type SessionChannel = Duplex &
  Pick<ClientChannel, "signal" | "setWindow" | "close"> & { stderr: Readable };

/** The local ends of a session. They stay the caller's: none is closed, stdin is left paused. */
export interface SessionStreams {
  /** Absent: the remote side reads nothing. */
  stdin?: Readable;
  stdout: Writable;
  stderr: Writable;
  /** Absent: no remote terminal. With one, all output comes on `stdout`, and `~.` at the start of a line ends the session. */
  terminal?: SessionTerminal;
  /** Ends this session only. */
  signal?: AbortSignal;
}

/**
 * Given a session's channel, join it with the local ends until it is over, and return how the remote side ended. Throws
 * the reason when the link was lost, whatever exit code came before; a local stream's error; the signal's reason.
 */
export function pumpSession(
  channel: SessionChannel,
  link: LinkState,
  streams: SessionStreams,
): Promise<ExitStatus> {
  const { stdin, stdout, stderr, terminal, signal } = streams;
  const releases: (() => void)[] = [];
  const finished = new Promise<ExitStatus>((resolve, reject) => {
    let status: ExitStatus | undefined;
    // Both must have been read to their ends; the channel's own `close` waits for one of them only.
    let toClose = 2;
    const fail = (error: unknown): void => {
      if (link.isOpen()) {
        // sshd leaves a program without a terminal running; ssh2 sends no signal after the end of stdin, though.
        channel.signal("TERM");
        channel.close();
      }
      reject(error);
    };
    const closed = (): void => {
      if (--toClose > 0) return;
      if (!link.isOpen()) return reject(link.endError());
      if (status) resolve(status);
      else
        reject(
          new OperatorError("failed", `${link.label}: the session ended without an exit code`),
        );
    };

    channel.on("exit", (code: number | null, name?: string) => {
      status = code === null ? { signal: name ?? "unknown" } : { code };
    });
    channel.on("close", closed);
    channel.stderr.on("end", closed);
    releases.push(link.onEnd(() => reject(link.endError())));
    // Somebody types: what they type must not queue behind a download.
    if (terminal && link.windows) releases.push(link.windows.keepSmall());
    if (signal) releases.push(listen(signal, "abort", () => fail(signal.reason)));
    // What the program does is not about those who read its complaints.
    releases.push(
      pumpOutput(channel, stdout, fail),
      pumpOutput(channel.stderr, stderr, (error) => {
        if (errorCode(error) !== "EPIPE") return fail(error);
        channel.stderr.removeAllListeners("data");
        channel.stderr.resume();
      }),
    );
    if (!stdin) channel.end();
    else {
      const leave = (): void => fail(new OperatorError("cancelled", `${link.label}: ended by ~.`));
      releases.push(pumpInput(stdin, channel, terminal && filterEscapes(leave)));
    }
    const resize = (size: TerminalSize): void => channel.setWindow(size.rows, size.columns, 0, 0);
    const stopResize = terminal?.onResize?.(resize);
    if (stopResize) releases.push(stopResize);
    if (signal?.aborted) fail(signal.reason);
  });
  return finished.finally(() => {
    for (const release of releases) release();
    // What still comes has no reader, yet must be read for the channel to go.
    channel.resume();
    channel.stderr.resume();
  });
}

/** Back-pressure: a slow reader here makes the remote command wait. */
function pumpOutput(source: Readable, sink: Writable, fail: (error: unknown) => void): () => void {
  const write = (chunk: Buffer): void => {
    if (!sink.write(chunk)) source.pause();
  };
  const resume = (): void => void source.resume();
  const left = (): void =>
    fail(Object.assign(new Error("write EPIPE: the output has no reader"), { code: "EPIPE" }));
  source.on("data", write);
  sink.on("drain", resume);
  sink.on("error", fail);
  sink.on("close", left);
  return () => {
    source.off("data", write);
    sink.off("drain", resume);
    sink.off("error", fail);
    sink.off("close", left);
  };
}

function pumpInput(
  source: Readable,
  channel: SessionChannel,
  filter: ((chunk: Buffer) => Buffer) | undefined,
): () => void {
  const write = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (!channel.write(filter ? filter(bytes) : bytes)) source.pause();
  };
  const resume = (): void => void source.resume();
  // A terminal that went away is the end of the input, too.
  const end = (): void => void channel.end();
  source.on("data", write);
  source.on("end", end);
  source.on("error", end);
  channel.on("drain", resume);
  if (source.readableEnded || source.destroyed) end();
  else source.resume();
  return () => {
    source.off("data", write);
    source.off("end", end);
    source.off("error", end);
    channel.off("drain", resume);
    source.pause();
  };
}

function listen(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
