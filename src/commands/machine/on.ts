import type { Command } from "../command.ts";

export const machineOn: Command = {
  name: "machine on",
  summary: "Turn a service of this machine on, and see that it is",
  operands: [{ syntax: "<name>", description: "its name, as lcops machine status shows it" }],
  examples: ["machine on xdebug", "machine on rammysql --yes", "machine on apache --dry-run"],
  danger: "writes",
  unattended: "--yes",
  async run(input, context) {
    const { runChange } = await import("./run-change.ts");
    return runChange("on", input.operands[0] ?? "", context);
  },
};
