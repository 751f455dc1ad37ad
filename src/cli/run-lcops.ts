import { commands } from "../commands/index.ts";
import { readCommandLine } from "./read-command-line.ts";

/** Given the words of a command line and lcops' version, do what they say and return the exit code; also for command lines within this process. */
export async function runLcops(words: readonly string[], version: string): Promise<number> {
  const line = readCommandLine(words, version, isTerminal);
  if (line.kind === "printed") return line.code;
  const { refuseCommandLine, runCommand } = await import("./run-command.ts");
  if (line.kind === "refused") return refuseCommandLine(line.message, line);
  return runCommand(line.command, line.input, {
    flags: line.flags,
    version,
    words,
    commands,
    runLcops: (further) => runLcops(further, version),
  });
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
}
