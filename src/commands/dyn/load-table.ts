import type { Command } from "../command.ts";

export const dynLoadTable: Command = {
  name: "dyn load-table",
  summary: "Load a dump, or an export of AWS, into a table that is there",
  operands: [
    { syntax: "<file>", description: "a dump, or the folder of an export of AWS" },
    { syntax: "<table>", description: "name of the table" },
  ],
  examples: [
    "dyn load-table pattern-aggregator.json.gz pattern-aggregator --env dev",
    "dyn load-table AWSDynamoDB/01693685827463-2d8752fd pattern-aggregator --dry-run",
  ],
  danger: "destroys",
  aws: true,
  unattended: "--yes, in production --confirm TABLE",
  async run(input, context) {
    const { runLoadTable } = await import("./run-load-table.ts");
    return runLoadTable(input, context);
  },
};
