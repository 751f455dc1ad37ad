import type { Command } from "../command.ts";

export const backupRun: Command = {
  name: "backup run",
  summary: "Back services up, each into a set at every destination",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup run", "backup run graphite school", "backup run --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runBackups } = await import("./run-backups.ts");
    return runBackups(input, context);
  },
};
