import type { Command } from "../command.ts";

export const machineReset: Command = {
  name: "machine reset",
  summary: "Start the MySQL in memory anew, with the data that it began with",
  operands: [{ syntax: "<name>", description: "its name, as lcops machine status shows it" }],
  examples: ["machine reset rammysql --yes"],
  danger: "destroys",
  unattended: "--yes",
  async run(input, context) {
    const { runChange } = await import("./run-change.ts");
    return runChange("reset", input.operands[0] ?? "", context);
  },
};
