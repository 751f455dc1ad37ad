import type { Command } from "../command.ts";
import { ROW_OPERANDS } from "./dump-row.ts";

export const dynEditRow: Command = {
  name: "dyn edit-row",
  summary: "Edit one row in $EDITOR and write what was edited",
  operands: ROW_OPERANDS,
  dashedOperands: true,
  examples: ["dyn edit-row pattern-aggregator school-1/lesson-003 2014-03-25"],
  danger: "writes",
  aws: true,
  unattended: "--yes, in production --confirm TABLE, and an $EDITOR that needs no terminal",
  async run(input, context) {
    const { runEditRow } = await import("./run-edit-row.ts");
    return runEditRow(input, context);
  },
};
