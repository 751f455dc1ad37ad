import type { Command } from "../command.ts";

export const configShow: Command = {
  name: "config show",
  summary: "Show the configuration that is in force, and where it comes from",
  examples: ["config show", "config show --json"],
  danger: "reads",
  async run(_input, context) {
    const config = await context.config();
    // Secrets are references in the file, so there is none to hide.
    context.terminal.note(`# ${context.configPath}`);
    context.terminal.printJson(config);
    return 0;
  },
};
