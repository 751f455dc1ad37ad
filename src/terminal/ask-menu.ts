import {
  createPrompt,
  ExitPromptError,
  isDownKey,
  isEnterKey,
  isUpKey,
  useKeypress,
  useState,
} from "@inquirer/core";
import { cutToWidth } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface MenuChoice {
  key: string;
  label: string;
}

export interface MenuScreen {
  groups: readonly { title: string; choices: readonly MenuChoice[] }[];
}

/** At most so many matches are listed under the prompt. */
const MATCHES_SHOWN = 8;

/** Given a terminal and a screen of the menu, draw it on stderr, as the old script did. Labels are printable. */
export function drawMenu(terminal: Terminal, screen: MenuScreen): void {
  for (const group of screen.groups) {
    terminal.stderr.write(`${terminal.err.bold(group.title)}\n`);
    for (const { key, label } of group.choices) {
      const line = cutToWidth(`${key}) ${label}`, terminal.columns - 1);
      terminal.stderr.write(
        `${terminal.err.cyan(line.slice(0, key.length + 1))}${line.slice(key.length + 1)}\n`,
      );
    }
  }
}

/**
 * Given a screen of the menu, ask for a key until one is typed that exists, and return its choice; `draw` for Enter alone, `leave`
 * for Ctrl-C and Ctrl-D. Typed text also searches the labels: the matches stand under the prompt, and the arrows pick one.
 * Only a key typed in full, or a match that was picked, is ever run: `16` is not the sixteenth line.
 */
export async function askMenu<Choice extends MenuChoice>(
  terminal: Terminal,
  screen: { groups: readonly { choices: readonly Choice[] }[] },
  signal: AbortSignal,
): Promise<Choice | "draw" | "leave"> {
  const choices = screen.groups.flatMap((group) => group.choices);
  try {
    const key = await menuPrompt(
      { choices, terminal },
      { input: terminal.stdin, output: terminal.stderr, clearPromptOnDone: false, signal },
    );
    return choices.find((choice) => choice.key === key) ?? "draw";
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ExitPromptError) return "leave";
    throw error;
  }
}

/** Given what was typed, return the choices that it finds: keys that begin with it first, then labels that contain it. Pure. */
export function searchChoices(choices: readonly MenuChoice[], typed: string): MenuChoice[] {
  const text = typed.trim().toLowerCase();
  if (text === "") return [...choices];
  const byKey = choices.filter(({ key }) => key.toLowerCase().startsWith(text));
  const byLabel = choices.filter(
    (choice) => !byKey.includes(choice) && choice.label.toLowerCase().includes(text),
  );
  return [...byKey, ...byLabel];
}

/** Given what was typed, return the choice with exactly that key, in any case. Pure. */
export function matchKey<Choice extends { key: string }>(
  choices: readonly Choice[],
  typed: string,
): Choice | undefined {
  return choices.find(({ key }) => key.toLowerCase() === typed.trim().toLowerCase());
}

interface MenuPromptConfig {
  choices: readonly MenuChoice[];
  terminal: Terminal;
}

const menuPrompt = createPrompt<string | undefined, MenuPromptConfig>(
  ({ choices, terminal }, done) => {
    const [typed, setTyped] = useState("");
    const [picked, setPicked] = useState<number | undefined>(undefined);
    const [complaint, setComplaint] = useState("");
    const [answer, setAnswer] = useState<string | undefined>(undefined);
    const matches = searchChoices(choices, typed);

    useKeypress((key, readline) => {
      if (isEnterKey(key)) {
        const choice = picked === undefined ? matchKey(choices, typed) : matches[picked];
        if (choice) {
          setAnswer(choice.key);
          done(choice.key);
          return;
        }
        if (typed.trim() === "") {
          setAnswer("");
          done(undefined);
          return;
        }
        // The line was taken by Enter; what was typed stays, to be mended.
        readline.write(typed);
        setComplaint(`no entry has the key ${typed.trim()}; the arrows pick from the list`);
        return;
      }
      setComplaint("");
      if (isDownKey(key) || isUpKey(key)) {
        readline.clearLine(0);
        readline.write(typed);
        if (matches.length === 0) return;
        const step = isDownKey(key) ? 1 : -1;
        const from = picked ?? (step === 1 ? -1 : matches.length);
        setPicked((from + step + matches.length) % matches.length);
        return;
      }
      if (readline.line !== typed) {
        setTyped(readline.line);
        setPicked(undefined);
      }
    });

    if (answer !== undefined) return `${terminal.err.bold(">>>")} ${answer}`;
    const isListShown = typed.trim() !== "" || picked !== undefined;
    const list = isListShown ? listMatches(matches, picked, terminal) : [];
    const below = [...(complaint === "" ? [] : [terminal.err.red(complaint)]), ...list];
    return [`${terminal.err.bold(">>>")} ${typed}`, below.join("\n")];
  },
);

function listMatches(
  matches: readonly MenuChoice[],
  picked: number | undefined,
  terminal: Terminal,
): string[] {
  const first = Math.max(
    0,
    Math.min((picked ?? 0) - MATCHES_SHOWN + 1, matches.length - MATCHES_SHOWN),
  );
  const lines = matches.slice(first, first + MATCHES_SHOWN).map(({ key, label }, index) => {
    const isPicked = first + index === picked;
    const line = cutToWidth(`${isPicked ? "›" : " "} ${key}) ${label}`, terminal.columns - 1);
    return isPicked ? terminal.err.cyan(line) : terminal.err.dim(line);
  });
  const hidden = matches.length - lines.length;
  return hidden > 0 ? [...lines, terminal.err.dim(`  … and ${hidden} more`)] : lines;
}
