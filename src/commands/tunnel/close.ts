import { OperatorError } from "../../system/errors.ts";
import type { Command } from "../command.ts";

export const tunnelClose: Command = {
  name: "tunnel close",
  summary: "Close tunnels that are kept in the background",
  operands: [{ syntax: "[name...]", description: "names of services" }],
  options: [{ flags: "--all", description: "all of them, of every configuration" }],
  examples: ["tunnel close graphite", "tunnel close --all"],
  danger: "reads",
  async run(input, context) {
    const isAll = input.options["all"] === true;
    if (isAll === input.operands.length > 0) {
      throw new OperatorError("usage", "name the tunnels to close, or say --all", {
        next: "see lcops tunnel list",
      });
    }
    const { configPath, terminal } = context;
    const { ask } = await import("./supervisor.ts");
    const answer = await ask({ ask: "close", configPath, names: input.operands }, context);
    if (!answer && !isAll) {
      throw new OperatorError("usage", `no tunnel ${input.operands[0]} is kept in the background`, {
        next: "one that was opened without --detach ends with Ctrl-C",
      });
    }
    const tunnels = answer?.tunnels ?? [];
    if (terminal.flags.json) terminal.printJson(tunnels);
    else for (const { name, url } of tunnels) terminal.note(`${name}  ${url}  closed`);
    return 0;
  },
};
