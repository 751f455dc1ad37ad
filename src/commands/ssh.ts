import { constants } from "node:os";
import type { Connection } from "../ssh/connect.ts";
import type { ExitStatus } from "../ssh/pump-session.ts";
import type { Command, Context } from "./command.ts";
import { remoteCommand } from "./quote-words.ts";

export const ssh: Command = {
  name: "ssh",
  summary: "Open a shell on a host, or run one command there",
  operands: [{ syntax: "<host>", description: "name, or a selector that picks one host" }],
  rest: "COMMAND to run instead of a shell; one word is shell text, several are passed on as they are",
  examples: ["ssh GraphStats", "ssh role=worker -- uptime", "ssh TextLogs -- 'df -h | sort'"],
  danger: "writes",
  aws: true,
  changesEstate: false,
  returnsChildCode: () => true,
  async run(input, context) {
    const { connectHost } = await import("../reach/connect-host.ts");
    const { startProgress } = await import("../terminal/progress.ts");
    const host = await context.findHost(input.operands[0] ?? "");
    const progress = startProgress(context.terminal);
    progress.update(`connecting to ${host.name}`);
    const connection = await connectHost(host, await context.reach()).finally(progress.end);
    try {
      return input.rest === undefined
        ? await shell(connection, context)
        : await execute(connection, input.rest, context);
    } finally {
      await connection.close();
    }
  },
};

async function shell(connection: Connection, context: Context): Promise<number> {
  const { stdin, stdout, stderr } = context.terminal;
  const { remoteTerminal, withRawMode } = await import("../terminal/raw-mode.ts");
  const terminal = remoteTerminal(context.terminal, context.environment);
  const open = (): Promise<ExitStatus> =>
    connection.openShell({ stdin, stdout, stderr, ...(terminal && { terminal }) });
  return exitCodeOfStatus(await (terminal ? withRawMode(context.terminal, open) : open()));
}

/** As `ssh` does: a command has no terminal of its own, whoever asks. */
async function execute(
  connection: Connection,
  words: readonly string[],
  context: Context,
): Promise<number> {
  const { stdin, stdout, stderr } = context.terminal;
  return exitCodeOfStatus(
    await connection.execute(remoteCommand(words), { stdin, stdout, stderr }),
  );
}

/** Returns the code of a shell or a command that has ended: 128 + n for signal n, as shells do. Pure. */
export function exitCodeOfStatus(status: ExitStatus): number {
  if ("code" in status) return status.code;
  return 128 + (constants.signals[status.signal as NodeJS.Signals] ?? 0);
}
