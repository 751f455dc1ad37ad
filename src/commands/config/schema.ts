import type { Command } from "../command.ts";

export const configSchema: Command = {
  name: "config schema",
  summary: "Print the JSON Schema of the configuration, for editors",
  examples: ["config schema > lcops.schema.json"],
  danger: "reads",
  async run(_input, context) {
    const { makeJsonSchema } = await import("../../config/json-schema.ts");
    const { KINDS } = await import("../../services/registry.ts");
    context.terminal.printJson(makeJsonSchema(KINDS));
    return 0;
  },
};
