import type { Command } from "../command.ts";

export const dynUploadRow: Command = {
  name: "dyn upload-row",
  aliases: ["uploadRow"],
  summary: "Write what was edited in a dumped row, unless another writer changed it too",
  operands: [{ syntax: "<file>", description: "a file of lcops dyn dump-row" }],
  options: [
    { flags: "--create", description: "write it as a new row, which must not be there yet" },
    { flags: "--replace", description: "overwrite the whole row, whatever it is now" },
  ],
  examples: ["dyn upload-row row.json", "dyn upload-row row.json --dry-run"],
  danger: "writes",
  aws: true,
  unattended: "--yes, in production --confirm TABLE",
  async run(input, context) {
    const { runUploadRow } = await import("./run-upload-row.ts");
    return runUploadRow(input, context);
  },
};
