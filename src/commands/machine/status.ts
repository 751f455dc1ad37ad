import type { Command } from "../command.ts";

export const machineStatus: Command = {
  name: "machine status",
  summary: "Print what is on and off on this machine, as it is now",
  examples: ["machine status", "machine status --json"],
  danger: "reads",
  async run(_input, context) {
    const { runStatus } = await import("./run-status.ts");
    return runStatus(context);
  },
};
