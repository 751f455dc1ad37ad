import type { Command } from "../command.ts";

/** Operands that name a row. */
export const ROW_OPERANDS = [
  { syntax: "<table>", description: "name of the table" },
  {
    syntax: "<hash>",
    description:
      "value of the hash key; b64:… where it is binary, behind -- where it begins with -",
  },
  { syntax: "[range]", description: "value of the range key, where the table has one" },
] as const;

export const dynDumpRow: Command = {
  name: "dyn dump-row",
  aliases: ["dumpRow"],
  summary: "Dump one row into a file that can be edited and uploaded",
  operands: ROW_OPERANDS,
  dashedOperands: true,
  options: [{ flags: "-o, --output <file>", description: "row.json unless told; - is stdout" }],
  examples: [
    "dyn dump-row pattern-aggregator school-1/lesson-003 2014-03-25",
    "dyn dump-row pattern-aggregator school-1/lesson-003 2014-03-25 -o -",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runDumpRow } = await import("./run-dump-row.ts");
    return runDumpRow(input, context);
  },
};
