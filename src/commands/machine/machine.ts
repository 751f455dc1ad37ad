import type { Command } from "../command.ts";

export const machine: Command = {
  name: "machine",
  aliases: ["statusMachine"],
  summary: "Open the panel of this machine in a terminal, print it elsewhere",
  examples: ["machine", "machine --json"],
  danger: "writes",
  changesEstate: false,
  async run(_input, context) {
    if (context.terminal.canAnimate && context.terminal.canPrompt && context.terminal.isScreen) {
      const { showPanel } = await import("./show-panel.ts");
      return showPanel(context);
    }
    const { runStatus } = await import("./run-status.ts");
    return runStatus(context);
  },
};
