import type { Command } from "../command.ts";

export const dynTables: Command = {
  name: "dyn tables",
  summary: "List the tables: name, items, size, capacity, keys",
  examples: ["dyn tables", "dyn tables --env prod --region eu-west-1", "dyn tables --json"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runTables } = await import("./run-tables.ts");
    return runTables(input, context);
  },
};
