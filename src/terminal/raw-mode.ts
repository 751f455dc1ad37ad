import type { Terminal } from "./terminal.ts";

/** Given a terminal and work that wants every key as it is pressed, do the work in raw mode; the mode is put back however the work ends. */
export async function withRawMode<T>(terminal: Terminal, work: () => Promise<T>): Promise<T> {
  const { stdin } = terminal;
  if (!stdin.isTTY) return work();
  const before = stdin.isRaw;
  stdin.setRawMode(true);
  try {
    return await work();
  } finally {
    stdin.setRawMode(before);
    stdin.pause();
  }
}

export interface RemoteTerminal {
  /** `xterm-256color`, … */
  term: string;
  columns: number;
  rows: number;
  /** Have the listener called on every change of size; returns how to take it back. */
  onResize: (listener: (size: { columns: number; rows: number }) => void) => () => void;
}

/** Given the terminal, return what a remote one must be like to look the same; undefined where input or output is no terminal. */
export function remoteTerminal(
  terminal: Terminal,
  environment: NodeJS.ProcessEnv,
): RemoteTerminal | undefined {
  const { stdin, stdout } = terminal;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return {
    term: environment["TERM"] || "xterm-256color",
    columns: stdout.columns,
    rows: stdout.rows,
    onResize: (listener) => {
      const tell = (): void => listener({ columns: stdout.columns, rows: stdout.rows });
      stdout.on("resize", tell);
      return () => stdout.off("resize", tell);
    },
  };
}
