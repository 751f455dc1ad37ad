import type { Command } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const GLOBAL_FLAGS = [
  "--config",
  "--env",
  "--json",
  "--quiet",
  "--verbose",
  "--no-input",
  "--no-color",
  "--help",
  "--version",
];

/**
 * Given a shell and the list of commands, return its completion script: commands, verbs and flags, and for `ssh` and `hosts` the names of hosts.
 * Nothing that was typed is ever run by it. Pure.
 */
export function makeCompletion(shell: Shell, commands: readonly Command[]): string {
  const tree = growTree(commands);
  if (shell === "bash") return makeBash(tree);
  if (shell === "zsh")
    return `#compdef lcops\nautoload -U +X bashcompinit && bashcompinit\n${makeBash(tree)}`;
  return makeFish(tree, commands);
}

/** What may follow a command line: '' → first words, 'tunnel' → its verbs, 'tunnel open' → its flags. */
type Tree = Map<string, string[]>;

function growTree(commands: readonly Command[]): Tree {
  const tree: Tree = new Map([["", []]]);
  const add = (at: string, word: string): void => {
    const words = tree.get(at) ?? [];
    if (!words.includes(word)) words.push(word);
    tree.set(at, words);
  };
  for (const command of commands) {
    const [first = "", second] = command.name.split(" ");
    add("", first);
    if (second !== undefined) add(first, second);
    for (const flag of flagsOf(command)) add(command.name, flag);
  }
  for (const shell of SHELLS) add("completion", shell);
  add("help", "exit-codes");
  return tree;
}

function flagsOf(command: Command): string[] {
  const own = (command.options ?? []).flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? []);
  const guards =
    command.danger !== "reads" && command.changesEstate !== false ? ["--dry-run", "--yes"] : [];
  return [...own, ...guards];
}

const HOST_NAMES = "lcops hosts 2>/dev/null </dev/null | cut -f1";

function makeBash(tree: Tree): string {
  const cases = [...tree]
    .map(([line, words]) => `    '${line}') words='${words.join(" ")}' ;;`)
    .join("\n");
  return `_lcops() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line='' word words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      --config|--env) index=$((index + 1)) ;;
      --) return ;;
      -*) ;;
      *) line="\${line:+$line }$word" ;;
    esac
  done
  case "$line" in
${cases}
  esac
  case "$line" in
    ssh|hosts*|li*) words="$words $(${HOST_NAMES})" ;;
  esac
  case "$current" in
    -*) words="$words ${GLOBAL_FLAGS.join(" ")}" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _lcops lcops`;
}

function makeFish(tree: Tree, commands: readonly Command[]): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = ["complete -c lcops -f"];
  for (const word of tree.get("") ?? []) {
    const summary = commands.find((command) => command.name === word)?.summary ?? "";
    lines.push(`complete -c lcops -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`);
  }
  for (const [line, words] of tree) {
    if (line === "") continue;
    const seen = line
      .split(" ")
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
    for (const word of words) {
      lines.push(
        word.startsWith("--")
          ? `complete -c lcops -n ${quote(seen)} -l ${word.slice(2)}`
          : `complete -c lcops -n ${quote(seen)} -a ${word}`,
      );
    }
  }
  lines.push(`complete -c lcops -n '__fish_seen_subcommand_from ssh hosts' -a '(${HOST_NAMES})'`);
  for (const flag of GLOBAL_FLAGS) lines.push(`complete -c lcops -l ${flag.slice(2)}`);
  return lines.join("\n");
}
