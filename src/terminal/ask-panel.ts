import {
  createPrompt,
  ExitPromptError,
  isBackspaceKey,
  isEnterKey,
  useEffect,
  useKeypress,
  useState,
} from "@inquirer/core";
import { matchKey, type MenuChoice } from "./ask-menu.ts";
import { cutToWidth } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface PanelChoice extends MenuChoice {
  /** Paints the line; its key is painted as in the menu. */
  paint?: (text: string) => string;
}

export interface PanelGroup {
  title: string;
  choices: readonly PanelChoice[];
}

/** What is drawn, again whenever it changes. */
export interface LivePanel {
  now: () => readonly PanelGroup[];
  /** Have the listener called on each change from now on; returns how to end that. */
  watch: (listener: () => void) => () => void;
}

/** Of a terminal: everything away, the cursor to its corner (ECMA-48, ED and CUP). */
const CLEAR = "\u001b[2J\u001b[H";

/**
 * Given a panel, draw it on stderr, keep it as it is now, and return the key that is typed; one that begins no other counts as it is typed, another with
 * Enter. `leave` for q, Ctrl-C and Ctrl-D. Labels are printable.
 */
export async function askPanel(
  terminal: Terminal,
  panel: LivePanel,
  signal: AbortSignal,
): Promise<{ key: string } | "leave"> {
  try {
    const key = await panelPrompt(
      { terminal, panel },
      { input: terminal.stdin, output: terminal.stderr, clearPromptOnDone: false, signal },
    );
    return key === "q" && !matchKey(listChoices(panel), key) ? "leave" : { key };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ExitPromptError) return "leave";
    throw error;
  }
}

const listChoices = (panel: LivePanel): PanelChoice[] =>
  panel.now().flatMap(({ choices }) => [...choices]);

/** Given the choices and what was typed, return the choice that is meant without Enter: no other key begins so. Pure. */
function matchAtOnce<Choice extends { key: string }>(
  choices: readonly Choice[],
  typed: string,
): Choice | undefined {
  const text = typed.trim().toLowerCase();
  const begins = choices.filter(({ key }) => key.toLowerCase().startsWith(text));
  return begins.length === 1 ? matchKey(begins, typed) : undefined;
}

const panelPrompt = createPrompt<string, { terminal: Terminal; panel: LivePanel }>(
  ({ terminal, panel }, done) => {
    const [typed, setTyped] = useState("");
    const [complaint, setComplaint] = useState("");
    const [isAnswered, setAnswered] = useState(false);
    const [, setDrawn] = useState(0);

    useEffect(() => {
      let count = 0;
      const draw = (): void => setDrawn(++count);
      const redraw = (): void => {
        // Lines that were broken by the new width are no lines of the prompt's any more.
        terminal.stderr.write(CLEAR);
        draw();
      };
      const unwatch = panel.watch(draw);
      terminal.stderr.on("resize", redraw);
      return () => {
        unwatch();
        terminal.stderr.off("resize", redraw);
      };
    }, []);

    useKeypress((key, readline) => {
      const choices = [...listChoices(panel), { key: "q", label: "" }];
      const answer = (choice: { key: string }): void => {
        setTyped(choice.key);
        setAnswered(true);
        done(choice.key);
      };
      if (isEnterKey(key)) {
        const choice = matchKey(choices, typed);
        if (choice) return answer(choice);
        if (typed.trim() !== "") setComplaint(`no line has the key ${typed.trim()}`);
        setTyped("");
        return;
      }
      if (!isBackspaceKey(key)) setComplaint("");
      const choice = matchAtOnce(choices, readline.line);
      if (choice) {
        readline.clearLine(0);
        return answer(choice);
      }
      setTyped(readline.line);
    });

    const shown = drawLines(panel.now(), terminal);
    const prompt = `${terminal.err.bold(">>>")} ${typed}`;
    const below = isAnswered ? "" : complaint === "" ? "" : terminal.err.red(complaint);
    return [[...shown, prompt].join("\n"), below];
  },
);

/** A terminal that is too short for all of it shows its beginning. */
function drawLines(groups: readonly PanelGroup[], terminal: Terminal): string[] {
  const lines = groups.flatMap(({ title, choices }) => [
    terminal.err.bold(cutToWidth(title, terminal.columns - 1)),
    ...choices.map(({ key, label, paint = (text: string) => text }) => {
      const line = cutToWidth(`${key}) ${label}`, terminal.columns - 1);
      return terminal.err.cyan(line.slice(0, key.length + 1)) + paint(line.slice(key.length + 1));
    }),
  ]);
  const room = Math.max(1, terminal.rows - 3);
  return lines.length <= room ? lines : [...lines.slice(0, room - 1), "…"];
}
