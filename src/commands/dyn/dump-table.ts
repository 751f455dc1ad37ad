import type { Command } from "../command.ts";

export const dynDumpTable: Command = {
  name: "dyn dump-table",
  aliases: ["dumpTable"],
  summary: "Dump a table into a file, one item a line, without loss",
  operands: [{ syntax: "<table>", description: "name of the table" }],
  options: [
    {
      flags: "-o, --output <file>",
      description: "TABLE.json unless told; .gz and .zst are packed; - is stdout",
    },
    { flags: "--format <form>", description: "dynamodb (as AWS exports) or plain, for reading" },
    {
      flags: "--max-rcu <units>",
      description: "read units a second, or their share: 200, 50%; 25% of provisioned unless told",
    },
    { flags: "--resume", description: "go on with a dump that was cut off" },
  ],
  examples: [
    "dyn dump-table pattern-aggregator",
    "dyn dump-table pattern-aggregator -o patterns.json.gz --max-rcu 50% --resume",
    "dyn dump-table pattern-aggregator -o - --format plain",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runDumpTable } = await import("./run-dump-table.ts");
    return runDumpTable(input, context);
  },
};
