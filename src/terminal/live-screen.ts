import { setTimeout as wait } from "node:timers/promises";
import { withRawMode } from "./raw-mode.ts";
import type { Terminal } from "./terminal.ts";

export interface LiveScreen {
  /** The lines of now, none wider and together no higher than this; painted, printable. */
  draw: (size: { columns: number; rows: number }) => string[];
  /** Have the listener called on each change from now on; returns how to end that. */
  watch: (listener: () => void) => () => void;
}

/** ECMA-48 (CUP, EL, ED) and xterm's private modes: the other screen, which leaves the first as it was, and the cursor. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const END_OF_LINE = "\u001b[K";
const END_OF_SCREEN = "\u001b[J";

/** Ages grow while nothing changes. */
const EVERY_MS = 1_000;
/** Many changes at once are one. */
const SOONEST_MS = 100;
/** q, Ctrl-C and Ctrl-D, as they come in raw mode. */
const LEAVES = ["q", "Q", "\u0003", "\u0004"];

/** Given a terminal whose screen can be filled, keep what is drawn on all of it until q, Ctrl-C or Ctrl-D is typed; then it is as it was before, as it is when the signal is aborted, whose reason is thrown. */
export async function showLive(
  terminal: Terminal,
  screen: LiveScreen,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { stdin, stdout } = terminal;
  const done = new AbortController();
  let next: AbortController | undefined;
  const wake = (): void => next?.abort();
  const end = (): void => {
    done.abort();
    wake();
  };
  const onKeys = (keys: Buffer | string): void => {
    const typed = String(keys);
    if (LEAVES.some((key) => typed.includes(key))) end();
  };
  let isChanged = true;
  const change = (): void => {
    isChanged = true;
    wake();
  };
  const unwatch = screen.watch(change);
  await withRawMode(terminal, async () => {
    stdout.on("resize", change);
    stdin.on("data", onKeys).on("end", end).on("error", end);
    signal.addEventListener("abort", end);
    stdout.write(ENTER);
    try {
      while (!done.signal.aborted) {
        isChanged = false;
        // A terminal that does not take what it was given gets no more of it.
        if (!stdout.writableNeedDrain) stdout.write(paint(screen, terminal));
        await pause(SOONEST_MS, done.signal);
        next = new AbortController();
        if (!isChanged && !done.signal.aborted) await pause(EVERY_MS - SOONEST_MS, next.signal);
      }
    } finally {
      stdout.write(LEAVE);
      unwatch();
      stdout.off("resize", change);
      stdin.off("data", onKeys).off("end", end).off("error", end);
      signal.removeEventListener("abort", end);
    }
  });
  signal.throwIfAborted();
}

/** Given a time, wait for it, or until the signal is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal }).catch(() => undefined);

/** Over what is there, not after it is cleared: that would flicker. */
function paint({ draw }: LiveScreen, { columns, rows }: Terminal): string {
  const lines = draw({ columns: columns - 1, rows }).slice(0, rows);
  return HOME + lines.map((line) => line + END_OF_LINE).join("\r\n") + END_OF_SCREEN;
}
