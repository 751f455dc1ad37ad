import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.ts";

/**
 * Given a terminal, return the lines that come from its input, until its end. On a screen each is asked for by `prompt`, with the keys of a shell:
 * arrows, history; Ctrl-C throws a line away, and leaves where there is none.
 */
export async function* readLines(
  terminal: Terminal,
  prompt: () => string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const isAsked = terminal.canPrompt;
  const lines = createInterface({
    input: terminal.stdin,
    ...(isAsked && { output: terminal.stderr, terminal: true }),
    signal,
  });
  const ask = (): void => {
    if (!isAsked) return;
    lines.setPrompt(prompt());
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    if (lines.line === "") return lines.close();
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
  });
  try {
    ask();
    for await (const line of lines) {
      yield line;
      ask();
    }
  } finally {
    lines.close();
    if (isAsked) terminal.stderr.write("\n");
  }
}
