import type { Command } from "../command.ts";

export const backupStatus: Command = {
  name: "backup status",
  summary: "Show what is backed up where, how old it is, and when it was last proven",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup status", "backup status --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runStatus } = await import("./run-status.ts");
    return runStatus(input, context);
  },
};
