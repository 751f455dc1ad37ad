import type { Command } from "../command.ts";

export const dynUndo: Command = {
  name: "dyn undo",
  summary: "Undo a change of a row, while what it left still stands",
  operands: [
    { syntax: "[id]", description: "of lcops history; the last change of a row unless told" },
  ],
  examples: ["dyn undo", "dyn undo 3f9a1c22 --dry-run"],
  danger: "writes",
  aws: true,
  unattended: "--yes, in production --confirm TABLE",
  async run(input, context) {
    const { runUndo } = await import("./run-undo.ts");
    return runUndo(input, context);
  },
};
