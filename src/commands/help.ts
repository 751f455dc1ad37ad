import { OperatorError } from "../system/errors.ts";
import type { Command } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";

export const help: Command = {
  name: "help",
  summary: "Show the help of a command, or of a topic: exit-codes",
  operands: [{ syntax: "[words...]", description: "a command, or exit-codes" }],
  examples: ["help", "help tunnel open", "help exit-codes"],
  danger: "reads",
  async run(input, context) {
    const asked = input.operands.join(" ");
    if (asked !== "exit-codes") {
      const isKnown =
        asked === "" ||
        context.commands.some(
          ({ name, aliases, script }) =>
            name === asked ||
            name.split(" ")[0] === asked ||
            script === asked ||
            aliases?.includes(asked),
        );
      if (!isKnown) {
        throw new OperatorError("usage", `there is no help on ${asked}`, {
          next: "lcops help lists the commands",
        });
      }
      return context.runLcops([...input.operands, "--help"]);
    }
    if (context.terminal.flags.json) context.terminal.printJson(EXIT_CODES);
    else
      for (const { code, meaning } of EXIT_CODES)
        context.terminal.print(`${code.padEnd(9)} ${meaning}`);
    return 0;
  },
};
