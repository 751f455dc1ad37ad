/** The built program in a pseudo-terminal, and what its screen shows. */
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { LCOPS } from "./program.ts";

const KEYS: Record<string, string> = {
  enter: "\r",
  up: "\u001b[A",
  down: "\u001b[B",
  escape: "\u001b",
  backspace: "\u007f",
  "ctrl-c": "\u0003",
  "ctrl-d": "\u0004",
};
type Key = "enter" | "up" | "down" | "escape" | "backspace" | "ctrl-c" | "ctrl-d";

export interface PtyOptions {
  environment: Record<string, string>;
  columns?: number;
  rows?: number;
  /** Ask `stty -a` on the same terminal once the program has ended; `leftRaw` then reads it. */
  showsMode?: boolean;
}

export interface Pty {
  pid: number;
  /** Keys in their order; what is no key's name is typed as it is. */
  press(key: Key): void;
  type(text: string): void;
  /** From here on `text` and `waitFor` look at what is written below, this line included. */
  mark(): void;
  /** What the terminal shows, trailing blanks taken away. */
  screen(): string;
  /** Everything since the mark, what has scrolled away included. */
  text(): string;
  /** Every byte that the program has written. */
  raw(): string;
  /** Resolves with the text since the mark once it matches. Rejects past the limit, and when the program ends before. */
  waitFor(
    wanted: string | RegExp | ((text: string) => boolean),
    timeoutMs?: number,
  ): Promise<string>;
  exit: Promise<{ code: number; signal: number }>;
  resize(columns: number, rows: number): void;
  kill(): void;
}

/** Given lcops' arguments, start it in a pseudo-terminal. */
export function openPty(args: readonly string[], options: PtyOptions): Pty {
  return openProgram([process.execPath, LCOPS, ...args], options);
}

/** Given a program and its arguments, start it in a pseudo-terminal. */
export function openProgram(words: readonly string[], options: PtyOptions): Pty {
  const { environment, columns = 100, rows = 40 } = options;
  const screen = new xterm.Terminal({
    cols: columns,
    rows,
    allowProposedApi: true,
    scrollback: 5_000,
  });
  // The shell outlives a Ctrl-C, which goes to all programs of the terminal.
  const asking = ["sh", "-c", 'trap : INT; "$@"; code=$?; stty -a; exit $code', "sh"];
  const [program = "", ...rest] = options.showsMode ? [...asking, ...words] : words;
  const pty = spawn(program, rest, {
    name: "xterm-256color",
    cols: columns,
    rows,
    env: { TERM: "xterm-256color", ...environment },
  });

  let raw = "";
  let mark = screen.registerMarker(0);
  const watchers = new Set<() => void>();
  pty.onData((data) => {
    raw += data;
    screen.write(data, () => {
      for (const watch of watchers) watch();
    });
  });
  // The terminal answers what programs ask it.
  screen.onData((answer) => pty.write(answer));
  const exit = new Promise<{ code: number; signal: number }>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      // The last output is still being drawn, and the end of stty may come later.
      const end = (): void => {
        if (options.showsMode && !/-?extproc/.test(text())) return;
        watchers.delete(end);
        resolve({ code: exitCode, signal: signal ?? 0 });
      };
      watchers.add(end);
      screen.write("", end);
    });
  });

  const readLines = (from: number): string => {
    const buffer = screen.buffer.active;
    const lines: string[] = [];
    for (let index = from; index < buffer.length; index++)
      lines.push(buffer.getLine(index)?.translateToString(true) ?? "");
    return lines.join("\n").trimEnd();
  };
  const text = (): string => readLines(Math.max(0, mark?.line ?? 0));
  return {
    pid: pty.pid,
    press: (key) => pty.write(KEYS[key] ?? ""),
    type: (typed) => pty.write(typed),
    mark: () => {
      mark = screen.registerMarker(0);
    },
    screen: () => readLines(screen.buffer.active.baseY),
    text,
    raw: () => raw,
    exit,
    resize: (newColumns, newRows) => {
      screen.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    kill: () => pty.kill("SIGKILL"),
    waitFor: (wanted, timeoutMs = 8_000) =>
      new Promise((resolve, reject) => {
        const matches = (now: string): boolean => {
          if (typeof wanted === "function") return wanted(now);
          return typeof wanted === "string" ? now.includes(wanted) : wanted.test(now);
        };
        const finish = (act: () => void): void => {
          clearTimeout(limit);
          watchers.delete(watch);
          act();
        };
        const fail = (why: string): void =>
          finish(() => reject(new Error(`${why}: ${String(wanted)}; the text is\n${text()}`)));
        const limit = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
        const watch = (): void => {
          const now = text();
          if (matches(now)) finish(() => resolve(now));
        };
        watchers.add(watch);
        watch();
        void exit.then(() => {
          watch();
          fail("the program has ended before");
        });
      }),
  };
}

/** Given what `stty -a` has printed, return whether the terminal takes keys one by one or hides them. */
export function isLeftRaw(text: string): boolean {
  const modes = text.match(/-?\b(icanon|echo|isig|opost)\b/g) ?? [];
  if (!modes.some((mode) => mode.endsWith("icanon"))) throw new Error(`no modes in ${text}`);
  return modes.some((mode) => mode.startsWith("-"));
}
