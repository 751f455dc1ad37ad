import { OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { describePlanned } from "./planned.ts";
import { planMenu, type MenuEntry } from "./plan-menu.ts";
import { quoteWords } from "./quote-words.ts";
import type { Command, Context } from "./command.ts";

export const menu: Command = {
  name: "menu",
  aliases: ["awsConnect"],
  summary: "Open the menu, or do what a key of it does",
  operands: [{ syntax: "[key...]", description: "a key of the menu" }],
  examples: ["menu", "menu 1", "menu li"],
  danger: "writes",
  changesEstate: false,
  unattended: "a key",
  async run(input, context) {
    const groups = planMenu(await context.config());
    const [key] = input.operands;
    if (key !== undefined) {
      const entries = groups.flatMap((group) => group.choices);
      const entry = entries.find((one) => one.key.toLowerCase() === key.toLowerCase());
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

async function showMenu(groups: ReturnType<typeof planMenu>, context: Context): Promise<number> {
  const { askMenu, drawMenu } = await import("../terminal/ask-menu.ts");
  for (;;) {
    drawMenu(context.terminal, { groups });
    const choice = await askMenu(context.terminal, { groups }, context.signal);
    if (!choice) return 0;
    const entry = groups.flatMap((group) => group.choices).find((one) => one.key === choice.key);
    if (!entry) continue;
    const code = await runEntry(entry, context);
    context.signal.throwIfAborted();
    if (code !== 0) context.terminal.note(context.terminal.err.yellow(`exit code ${code}`));
    context.terminal.note("");
  }
}

/** The command line that does the same comes first: the menu teaches the scripts. */
async function runEntry(entry: MenuEntry, context: Context): Promise<number> {
  const { terminal } = context;
  terminal.note(terminal.err.dim(`$ lcops ${printable(quoteWords(entry.run))}`));
  const planned = describePlanned(entry.run);
  if (planned !== undefined) {
    terminal.warn(planned);
    return 2;
  }
  return context.runLcops(entry.run);
}
