import { CommanderError } from "commander";
import type { Command, Input } from "../commands/command.ts";
import { commands, nouns } from "../commands/index.ts";
import { describePlanned } from "../commands/planned.ts";
import { buildProgram, type GlobalFlags } from "./build-program.ts";

/** Given the words of a command line and lcops' version, do what they say and return the exit code; also for command lines within this process. */
export async function runLcops(words: readonly string[], version: string): Promise<number> {
  const dashes = words.indexOf("--");
  const rest = dashes < 0 ? undefined : words.slice(dashes + 1);
  const head = nameCommand(dashes < 0 ? words : words.slice(0, dashes));
  let typed: { command: Command; input: Input } | undefined;
  const program = buildProgram({
    commands: narrow(head),
    nouns,
    version,
    rest,
    act: (command, input) => {
      typed = { command, input };
    },
  });
  try {
    program.parse([...head], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // A noun without its verb: commander has shown what there is.
    if (error.code === "commander.help") return 2;
    const { refuseCommandLine } = await import("./run-command.ts");
    const message =
      describePlanned(head) ?? error.message.replace(/^error: /, "").replace(/\n+/g, " ");
    return refuseCommandLine(message, program.opts<GlobalFlags>());
  }
  if (!typed) return 0;
  const { runCommand } = await import("./run-command.ts");
  return runCommand(typed.command, typed.input, {
    flags: program.opts<GlobalFlags>(),
    version,
    commands,
    runLcops: (further) => runLcops(further, version),
  });
}

/** `lcops` alone, or with flags only: the menu in a terminal, the help elsewhere. */
function nameCommand(head: readonly string[]): readonly string[] {
  if (findFirstWord(head) !== undefined || head.some((word) => ENDS_ALONE.has(word))) return head;
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
  return [...head, isTerminal ? "menu" : "--help"];
}

const ENDS_ALONE = new Set(["--version", "--help", "-h"]);
const TAKES_VALUE = new Set(["--config", "--env"]);

/** The first word that is neither a flag nor the value of one. */
function findFirstWord(head: readonly string[]): string | undefined {
  return head.find(
    (word, index) => !word.startsWith("-") && !TAKES_VALUE.has(head[index - 1] ?? ""),
  );
}

/** The parser is built with the commands that the first word can mean, and with all of them for help and mistakes. */
function narrow(head: readonly string[]): readonly Command[] {
  const word = findFirstWord(head);
  const found = commands.filter(
    ({ name, aliases }) => name.split(" ")[0] === word || aliases?.includes(word ?? ""),
  );
  return found.length > 0 ? found : commands;
}
