import { CommanderError } from "commander";
import type { Command, Input } from "../commands/command.ts";
import { commands, nouns } from "../commands/index.ts";
import { buildProgram, type GlobalFlags } from "./build-program.ts";

/** The meaning of a command line. */
export type CommandLine =
  | { kind: "command"; command: Command; input: Input; flags: GlobalFlags }
  /** The help or the version was printed; 2 where a noun misses its verb. */
  | { kind: "printed"; code: 0 | 2 }
  /** `topic` is where the help tells more. */
  | {
      kind: "refused";
      message: string;
      topic: string;
      flags: GlobalFlags;
      returnsChildCode: boolean;
    };

/** Given the words of a command line, lcops' version and whether a person is there, return what it means; the help is printed. */
export function readCommandLine(
  words: readonly string[],
  version: string,
  isTerminal: () => boolean,
): CommandLine {
  const dashes = words.indexOf("--");
  const head = nameCommand(dashes < 0 ? words : words.slice(0, dashes), isTerminal);
  const behind = dashes < 0 ? undefined : words.slice(dashes + 1);
  let typed: { command: Command; input: Input } | undefined;
  const candidates = narrow(head);
  const areOperands =
    candidates.some(({ dashedOperands }) => dashedOperands) &&
    candidates.every((command) => command.rest === undefined);
  const rest = areOperands ? undefined : behind;
  const parsed = areOperands && behind ? [...head, "--", ...behind] : [...head];
  const program = buildProgram({
    commands: candidates,
    nouns,
    version,
    rest,
    act: (command, input) => {
      typed = { command, input };
    },
  });
  try {
    program.parse(parsed, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "printed", code: 0 };
    // A noun without its verb: commander has shown what there is.
    if (error.code === "commander.help") return { kind: "printed", code: 2 };
    return {
      kind: "refused",
      message: error.message.replace(/^error: |\.$/g, "").replace(/\n+/g, " "),
      topic: findTopic(head),
      flags: program.opts<GlobalFlags>(),
      returnsChildCode: candidates.every((command) =>
        command.returnsChildCode?.({ operands: [], options: {}, rest }),
      ),
    };
  }
  if (!typed) return { kind: "printed", code: 0 };
  return { kind: "command", ...typed, flags: program.opts<GlobalFlags>() };
}

/** `lcops` alone, or with global flags only: the menu in a terminal, the help elsewhere. */
function nameCommand(head: readonly string[], isTerminal: () => boolean): readonly string[] {
  const at = head.findIndex((_word, index) => isWord(head, index));
  const renamed = RENAMED.get(head[at] ?? "");
  if (renamed) return head.toSpliced(at, 1, ...renamed);
  const isAlone =
    findWords(head).length === 0 &&
    head.every((word) => GLOBAL_FLAG.test(word) || !word.startsWith("-"));
  if (!isAlone) return head;
  return [...head, isTerminal() ? "menu" : "--help"];
}

/** Old names of commands that have two words now. */
const RENAMED: ReadonlyMap<string, readonly string[]> = new Map([["uu", ["fleet", "upgrade"]]]);

const GLOBAL_FLAG = /^(-q|-v|--(quiet|verbose|json|no-input|no-color|(config|env)(=.*)?))$/;
const TAKES_VALUE = new Set(["--config", "--env"]);

/** Returns the words that are neither flags nor the values of global ones. */
function findWords(head: readonly string[]): string[] {
  return head.filter((_word, index) => isWord(head, index));
}

function isWord(head: readonly string[], index: number): boolean {
  return !head[index]?.startsWith("-") && !TAKES_VALUE.has(head[index - 1] ?? "");
}

/** Returns the help topic that fits best: a command, a noun, or "" where neither is known. */
function findTopic(head: readonly string[]): string {
  const [first = "", second = ""] = findWords(head);
  const whole = `${first} ${second}`;
  const found = commands.find(
    ({ name, aliases = [], script }) =>
      name === whole ||
      name === first ||
      script === first ||
      aliases.some((alias) => alias === first || `${name.split(" ")[0]} ${alias}` === whole),
  );
  return found?.name ?? (Object.hasOwn(nouns, first) ? first : "");
}

/** The parser is built with the commands that the first word can mean, and with all of them for help and mistakes. */
function narrow(head: readonly string[]): readonly Command[] {
  const [word] = findWords(head);
  const found = commands.filter(
    ({ name, aliases, script }) =>
      name.split(" ")[0] === word || script === word || aliases?.includes(word ?? ""),
  );
  return found.length > 0 ? found : commands;
}
