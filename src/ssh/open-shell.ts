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
export async function openShell(link: Link, options: ShellOptions): Promise<ExitStatus> {
  const limits = { timeoutMs: openTimeoutMs, ...(options.signal && { signal: options.signal }) };
  const channel = await openChannel(link, undefined, limits, (done) => {
    link.client.shell(options.terminal ? remoteTerminal(options.terminal) : false, done);
  });
  return pumpSession(channel, link, options);
}
