import { type ExecuteOptions, remoteTerminal } from "./execute.ts";
import type { Link } from "./link.ts";
import { openChannel } from "./open-channel.ts";
import { type ExitStatus, pumpSession } from "./pump-session.ts";

const openTimeoutMs = 10_000;

export type ShellOptions = ExecuteOptions;

/**
 * Given a link, run the remote user's shell on the given streams, on a terminal where `terminal` is given, and return
 * how it ended. Throws as `execute` does, and `cancelled` when the operator ended it with `~.`.
 */
export function openShell(link: Link, options: ShellOptions): Promise<ExitStatus> {
  const { terminal, signal } = options;
  return openChannel(
    link,
    undefined,
    { timeoutMs: openTimeoutMs, signal },
    (done) => link.client.shell(terminal ? remoteTerminal(terminal) : false, done),
    (channel) => pumpSession(channel, link, options),
  );
}
