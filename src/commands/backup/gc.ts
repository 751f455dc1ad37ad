import type { Command } from "../command.ts";

export const backupGc: Command = {
  name: "backup gc",
  summary: "Remove what killed runs have left, at the destinations and on this machine",
  examples: ["backup gc --dry-run", "backup gc --yes"],
  danger: "destroys",
  aws: true,
  unattended: "--yes",
  async run(input, context) {
    const { runGc } = await import("./run-gc.ts");
    return runGc(input, context);
  },
};
