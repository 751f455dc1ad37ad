import type { Command } from "../command.ts";

export const machineOff: Command = {
  name: "machine off",
  summary: "Turn a service of this machine off, and see that it is",
  operands: [{ syntax: "<name>", description: "its name, as lcops machine status shows it" }],
  examples: ["machine off xdebug", "machine off rammysql --yes", "machine off apache --dry-run"],
  danger: "destroys",
  unattended: "--yes",
  async run(input, context) {
    const { runChange } = await import("./run-change.ts");
    return runChange("off", input.operands[0] ?? "", context);
  },
};
