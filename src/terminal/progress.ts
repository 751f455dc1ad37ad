import { cutToWidth } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** What is being done now, one line, printable. */
  update(line: string): void;
  /** Take the line away. */
  end(): void;
}

/** A line that appears only where the work takes longer than anybody notices. */
const APPEARS_AFTER_MS = 300;

/** The line that is on the screen now: there is one screen, so there is one line. */
let current: Progress | undefined;

/** Take the line away that may be on the screen, for a question that is to be asked there. */
export function clearProgress(): void {
  current?.end();
}

/** Given a terminal, return a line on stderr that says what is going on; nothing at all where stderr is no screen. */
export function startProgress(terminal: Terminal): Progress {
  if (!terminal.canAnimate) return { update: () => undefined, end: () => undefined };
  let line = "";
  let isDrawn = false;
  const draw = (): void => {
    terminal.stderr.write(`\r\u001b[K${terminal.err.dim(cutToWidth(line, terminal.columns - 1))}`);
    isDrawn = true;
  };
  const timer = setTimeout(draw, APPEARS_AFTER_MS);
  const progress: Progress = {
    update: (text) => {
      line = text;
      if (isDrawn) draw();
    },
    end: () => {
      clearTimeout(timer);
      if (isDrawn) terminal.stderr.write("\r\u001b[K");
      isDrawn = false;
      current = undefined;
    },
  };
  current = progress;
  return progress;
}
