import type { Command } from "../command.ts";

export const dynCapacity: Command = {
  name: "dyn capacity",
  summary: "Measure the items of a table or a dump, and forecast read and write units",
  operands: [{ syntax: "<table>", description: "name of a table, or the path of a dump" }],
  options: [
    { flags: "--reads <rate>", description: "items read a second, e.g. 50/s" },
    { flags: "--writes <rate>", description: "items written a second, e.g. 20/s" },
  ],
  examples: [
    "dyn capacity pattern-aggregator",
    "dyn capacity pattern-aggregator --reads 200/s --writes 50/s",
    "dyn capacity pattern-aggregator.json.gz --json",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runCapacity } = await import("./run-capacity.ts");
    return runCapacity(input, context);
  },
};
