import type { Command } from "./command.ts";

export const health: Command = {
  name: "health",
  summary: "Show how everything is that runs, and everything that watches, in one table",
  options: [
    {
      flags: "--watch",
      description: "keep the table on the screen, each thing asked again at its own pace; q leaves",
    },
  ],
  examples: ["health", "health --watch", "health --env prod", "health -q", "health --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runHealth } = await import("./health/run-health.ts");
    return runHealth(input, context);
  },
};
