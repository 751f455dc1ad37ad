import { OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { MenuEntry, MenuGroup } from "./plan-menu.ts";
import { quoteWords } from "./quote-words.ts";
import type { Command, Context } from "./command.ts";

export const menu: Command = {
  name: "menu",
  aliases: ["awsConnect"],
  summary: "Open the menu, or do what a key of it does",
  operands: [{ syntax: "[key...]", description: "a key of the menu" }],
  examples: ["menu", "menu 1", "menu li", "menu m 1"],
  danger: "writes",
  changesEstate: false,
  unattended: "a key",
  async run(input, context) {
    const { planMenu } = await import("./plan-menu.ts");
    const groups = planMenu(await context.config());
    const [key] = input.operands;
    if (key !== undefined) {
      const panelKey = input.operands.length === 2 ? input.operands[1] : undefined;
      const entries = groups.flatMap((group) => group.choices);
      const entry = entries.find((one) => one.key.toLowerCase() === key.toLowerCase());
      // The panel is a screen of the menu, with keys of its own.
      if (entry && isPanel(entry) && panelKey !== undefined) {
        const { runPanelKey } = await import("./machine/show-panel.ts");
        return runPanelKey(panelKey, context);
      }
      if (!entry || input.operands.length > 1) {
        throw new OperatorError("usage", `the menu has no key ${input.operands.join(" ")}`, {
          next: `its keys are ${entries.map((one) => one.key).join(" ")}`,
        });
      }
      return runEntry(entry, context);
    }
    if (!context.terminal.canPrompt) {
      throw new OperatorError("usage", "the menu needs a terminal", {
        next: "name a key: lcops menu KEY",
      });
    }
    return showMenu(groups, context);
  },
};

const isPanel = ({ run }: MenuEntry): boolean =>
  run.length === 1 && ["machine", "statusMachine"].includes(run[0] ?? "");

/** The whole menu is drawn at first and when Enter alone asks for it; after an entry its output stays on the screen. */
async function showMenu(groups: readonly MenuGroup[], context: Context): Promise<number> {
  const { askMenu, drawMenu } = await import("../terminal/ask-menu.ts");
  const { terminal } = context;
  // At the prompt Ctrl-C is a key; while the menu is drawn it is a signal, and means the same.
  const leaving = new AbortController();
  const signal = AbortSignal.any([context.signal, leaving.signal]);
  const converse = async (): Promise<number> => {
    drawMenu(terminal, { groups });
    for (;;) {
      const choice = await askMenu(terminal, { groups }, signal);
      if (choice === "leave") return 0;
      if (choice === "draw") {
        drawMenu(terminal, { groups });
        continue;
      }
      const code = await runEntry(choice, context);
      // SIGTERM stops the menu too; Ctrl-C only what it ran.
      context.signal.throwIfAborted();
      terminal.note(
        terminal.err.dim(`${code === 0 ? "done" : `exit code ${code}`}; Enter shows the menu`),
      );
    }
  };
  try {
    return await context.leaveSigintTo(converse, () => leaving.abort());
  } catch (error) {
    if (leaving.signal.aborted && !context.signal.aborted) return 0;
    throw error;
  }
}

/** The command line that does the same comes first: the menu teaches the scripts. */
async function runEntry(entry: MenuEntry, context: Context): Promise<number> {
  const { terminal } = context;
  terminal.note(terminal.err.dim(`$ lcops ${printable(quoteWords(entry.run))}`));
  return context.runLcops(entry.run);
}
