import type { Command } from "../command.ts";

export const dbCheck: Command = {
  name: "db check",
  script: "dbConsistency",
  summary: "Check that the databases, and what belongs to their rows, are consistent; reads only",
  operands: [
    {
      syntax: "[name...]",
      description: "checks of the configuration, or MySQL services; all of them when absent",
    },
  ],
  options: [
    { flags: "--budget <time>", description: "stop after 90s, 30m or 2h; what is left is named" },
    { flags: "--resume", description: "go on where the last run of the last day ended" },
  ],
  examples: [
    "db check",
    "db check school",
    "db check school --budget 30m --resume",
    "db check --json",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runCheck } = await import("./run-check.ts");
    return runCheck(input, context);
  },
};
