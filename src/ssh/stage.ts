import type { Duplex } from "node:stream";
import type { OperatorError } from "../system/errors.ts";
import { execute, type ExecuteOptions, remoteTerminal } from "./execute.ts";
import { forward } from "./forward.ts";
import type { Link, LinkState } from "./link.ts";
import { field, type MuxChannel, numbers } from "./mux-channel.ts";
import { openChannel } from "./open-channel.ts";
import { openShell } from "./open-shell.ts";
import type { ProgramLink } from "./program-link.ts";
import { type ExitStatus, pumpSession } from "./pump-session.ts";
import type { Hop } from "./route.ts";

const openTimeoutMs = 10_000;

/** A connection to one hop, whoever has made it: what can be done on it. */
export interface Stage extends LinkState {
  hop: Hop;
  ended: Promise<OperatorError | undefined>;
  forward(target: { host: string; port: number }, limits?: { timeoutMs?: number }): Promise<Duplex>;
  execute(command: string, options: ExecuteOptions): Promise<ExitStatus>;
  openShell(options: ExecuteOptions): Promise<ExitStatus>;
  close(): Promise<void>;
}

/** Given a link of our own, return what can be done on it. */
export function stageOf(link: Link): Stage {
  return {
    ...link,
    forward: (target, limits = {}) => forward(link, target, limits),
    execute: (command, options) => execute(link, command, options),
    openShell: (options) => openShell(link, options),
  };
}

/** Given a link of the `ssh` program, return what can be done on it; the same as on our own, with the same errors. */
export function stageOfProgram(link: ProgramLink): Stage {
  return {
    ...link,
    forward: ({ host, port }, { timeoutMs = openTimeoutMs } = {}) =>
      openChannel<MuxChannel, Duplex>(
        link,
        `${host}:${port}`,
        { timeoutMs },
        // RFC 4254, 7.2: where the connection comes from is for the server's log only.
        (done) =>
          link.open(
            "direct-tcpip",
            Buffer.concat([
              field(Buffer.from(host)),
              numbers(port),
              field(Buffer.from("127.0.0.1")),
              numbers(0),
            ]),
            done,
          ),
        (channel) => channel,
      ),
    execute: (command, options) => openSession(link, options, "exec", field(Buffer.from(command))),
    openShell: (options) => openSession(link, options, "shell", Buffer.alloc(0)),
  };
}

/** RFC 4254, 6.2 and 6.5. */
function openSession(
  link: ProgramLink,
  options: ExecuteOptions,
  type: string,
  fields: Buffer,
): Promise<ExitStatus> {
  return openChannel<MuxChannel, ExitStatus>(
    link,
    undefined,
    { timeoutMs: openTimeoutMs, signal: options.signal },
    (done) =>
      link.open("session", Buffer.alloc(0), (error, channel) => {
        if (error) return done(error, channel);
        channel.on("error", () => {});
        const start = (): void =>
          channel.ask(type, fields, (isGranted) => {
            if (isGranted) return done(undefined, channel);
            channel.close();
            done(new Error(`the server refuses the request ${type}`), channel);
          });
        if (!options.terminal) return start();
        // Without one the command runs all the same, as with ssh.
        channel.ask("pty-req", terminalFields(options.terminal), start);
      }),
    (channel) => pumpSession(channel, link, options),
  );
}

function terminalFields(terminal: NonNullable<ExecuteOptions["terminal"]>): Buffer {
  const { term, cols, rows } = remoteTerminal(terminal);
  // No modes: the end of their list alone.
  const modes = field(Buffer.from([0]));
  return Buffer.concat([field(Buffer.from(term)), numbers(cols, rows, 0, 0), modes]);
}
