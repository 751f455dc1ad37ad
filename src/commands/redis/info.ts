import type { Command } from "../command.ts";

export const redisInfo: Command = {
  name: "redis info",
  summary: "Show what a Redis is: role, version, memory, clients, keys of each database",
  operands: [
    { syntax: "<target>", description: "a Redis, or the host through which one is reached" },
  ],
  examples: ["redis info prod-cache", "redis info prod-api3-1 --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runInfo } = await import("./run-info.ts");
    return runInfo(input, context);
  },
};
