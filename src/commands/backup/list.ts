import type { Command } from "../command.ts";

export const backupList: Command = {
  name: "backup list",
  summary: "List the complete sets, where they are, and what was proven of them",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup list", "backup list school", "backup list --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runList } = await import("./run-list.ts");
    return runList(input, context);
  },
};
