import type { Command } from "../command.ts";

export const backupDrill: Command = {
  name: "backup drill",
  summary: "Prove the newest set: restore it into a scratch place, compare, throw it away",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup drill", "backup drill school", "backup drill --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runDrill } = await import("./run-drill.ts");
    return runDrill(input, context);
  },
};
