import type { Command } from "../command.ts";

export const backupPrune: Command = {
  name: "backup prune",
  summary: "Remove the sets that no rule keeps; never the newest, nor the last that was proven",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup prune --dry-run", "backup prune school --confirm school"],
  danger: "destroys",
  aws: true,
  unattended: "--yes, in production a job and --confirm JOB",
  async run(input, context) {
    const { runPrune } = await import("./run-prune.ts");
    return runPrune(input, context);
  },
};
