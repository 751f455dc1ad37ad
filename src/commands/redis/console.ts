import type { Command } from "../command.ts";

export const redisConsole: Command = {
  name: "redis console",
  summary: "Open redis-cli on a Redis, through a tunnel where it needs one",
  operands: [
    { syntax: "<target>", description: "a Redis, or the host through which one is reached" },
  ],
  rest: "a command of Redis, or arguments for redis-cli, e.g. TTL api:student:1",
  examples: ["redis console dev-cache", "redis console prod-api3-1 -- TTL api:student:1"],
  danger: "writes",
  aws: true,
  changesEstate: false,
  async run(input, context) {
    const { runConsole } = await import("./run-console.ts");
    return runConsole(input, context);
  },
};
