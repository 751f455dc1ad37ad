import type { Link } from "./link.ts";
import { openChannel } from "./open-channel.ts";
import {
  type ExitStatus,
  pumpSession,
  type SessionStreams,
  type SessionTerminal,
} from "./pump-session.ts";

const openTimeoutMs = 10_000;

export type ExecuteOptions = SessionStreams;

/**
 * Given a link and a command line for the remote user's shell, run it on the given streams and return how it ended.
 * Throws when the connection is lost: the result is then unknown, and never an exit code; see also `pumpSession`.
 */
export function execute(link: Link, command: string, options: ExecuteOptions): Promise<ExitStatus> {
  const { terminal, signal } = options;
  return openChannel(
    link,
    undefined,
    { timeoutMs: openTimeoutMs, signal },
    (done) => link.client.exec(command, terminal ? { pty: remoteTerminal(terminal) } : {}, done),
    (channel) => pumpSession(channel, link, options),
  );
}

/** Given the local terminal, return the request for a remote one of its kind and size; the size in pixels is not known. */
export function remoteTerminal(terminal: SessionTerminal): {
  term: string;
  cols: number;
  rows: number;
  width: number;
  height: number;
} {
  return { term: terminal.term, cols: terminal.columns, rows: terminal.rows, width: 0, height: 0 };
}
