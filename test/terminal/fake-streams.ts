import { PassThrough } from "node:stream";
import { makeTerminal, type Terminal, type TerminalFlags } from "../../src/terminal/terminal.ts";

export interface Setting {
  /** Which of the three streams is a terminal; all of them unless told. */
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  columns?: number;
  environment?: NodeJS.ProcessEnv;
  flags?: Partial<TerminalFlags>;
}

/** A terminal on streams of its own, and what was written to them. */
export function makeFakeTerminal(setting: Setting = {}): {
  terminal: Terminal;
  out: () => string;
  err: () => string;
} {
  const stream = (isTTY: boolean): PassThrough & { isTTY: boolean } =>
    Object.assign(new PassThrough(), {
      isTTY,
      ...(isTTY && { columns: setting.columns ?? 80, rows: 24 }),
    });
  const stdin = stream(setting.stdin ?? true);
  const stdout = stream(setting.stdout ?? true);
  const stderr = stream(setting.stderr ?? true);
  const terminal = makeTerminal({ stdin, stdout, stderr } as never, setting.environment ?? {}, {
    json: false,
    quiet: false,
    verbose: false,
    input: true,
    color: true,
    ...setting.flags,
  });
  const read = (from: PassThrough) => (): string => String(from.read() ?? "");
  return { terminal, out: read(stdout), err: read(stderr) };
}
