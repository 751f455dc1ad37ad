import { readCommandLine } from "../../src/cli/read-command-line.ts";

/** Returns the words with today's name of the command. */
export function renameOld(words: readonly string[]): readonly string[] {
  return words[0] === "uu" ? ["fleet", "upgrade", ...words.slice(1)] : words;
}

/**
 * Parses the words of a command line with the program's own parser, runs nothing, and returns what is wrong with it;
 * undefined where nothing is.
 */
export function findMistake(words: readonly string[]): string | undefined {
  const line = readCommandLine(words, "0", () => true);
  if (line.kind === "refused") return line.message;
  if (line.kind === "printed") return line.code === 0 ? undefined : "it names no command";
  const { rest } = line.input;
  if (rest?.length === 0) return "nothing stands behind --";
  const isMisplaced = rest !== undefined && line.command.rest === undefined;
  return isMisplaced ? "it takes nothing behind --" : undefined;
}
