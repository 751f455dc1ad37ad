import { CommanderError } from "commander";
import { buildProgram } from "../../src/cli/build-program.ts";
import type { Command } from "../../src/commands/command.ts";
import { commands, nouns } from "../../src/commands/index.ts";

/** Names of one word that stand for two. */
const RENAMED: Readonly<Record<string, readonly string[]>> = { uu: ["fleet", "upgrade"] };

/** Returns the words with today's name of the command. */
export function renameOld(words: readonly string[]): string[] {
  return words.flatMap((word, index) => (index === 0 ? (RENAMED[word] ?? [word]) : [word]));
}

/**
 * Parses the words of a command line with the program's own parser, runs nothing, and returns what is wrong with it;
 * undefined where nothing is.
 */
export function findMistake(words: readonly string[]): string | undefined {
  // Alone it opens the menu.
  if (words.length === 0) return undefined;
  const dashes = words.indexOf("--");
  const head = renameOld(dashes < 0 ? words : words.slice(0, dashes));
  const behind = dashes < 0 ? undefined : words.slice(dashes + 1);
  const areOperands = takesDashedOperands(head);
  try {
    const command = parse(areOperands && behind ? [...head, "--", ...behind] : head);
    if (!command) return "it names no command";
    if (behind === undefined || areOperands) return undefined;
    if (behind.length === 0) return "nothing stands behind --";
    return command.rest === undefined ? "it takes nothing behind --" : undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : error.message;
  }
}

/** Returns whether words behind ` -- ` are operands of these commands, as values of keys are. */
function takesDashedOperands(head: readonly string[]): boolean {
  const named = commands.filter(({ name }) => head.includes(name.split(" ")[0] ?? ""));
  return (
    named.some(({ dashedOperands }) => dashedOperands) &&
    named.every(({ rest }) => rest === undefined)
  );
}

function parse(words: readonly string[]): Command | undefined {
  let typed: Command | undefined;
  const act = (command: Command): void => void (typed = command);
  const program = buildProgram({ commands, nouns, version: "0", rest: undefined, act });
  const silence = (target: typeof program): void => {
    target.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    for (const command of target.commands) silence(command as typeof program);
  };
  silence(program);
  program.parse([...words], { from: "user" });
  return typed;
}
