import type { Command } from "./command.ts";

export const health: Command = {
  name: "health",
  summary: "Show how everything is that runs, and everything that watches, in one table",
  examples: ["health", "health --env prod", "health -q", "health --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runHealth } = await import("./health/run-health.ts");
    return runHealth(input, context);
  },
};
