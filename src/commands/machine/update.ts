import type { Command } from "../command.ts";

export const machineUpdate: Command = {
  name: "machine update",
  summary: "Update the git repositories of this machine, fast-forward only",
  operands: [{ syntax: "[repo...]", description: "names of repositories, all when absent" }],
  examples: ["machine update", "machine update app api --yes", "machine update --dry-run"],
  danger: "writes",
  unattended: "--yes",
  async run(input, context) {
    const { runUpdate } = await import("./run-update.ts");
    return runUpdate(input, context);
  },
};
