import { countOf } from "../../system/quantities.ts";
import type { Command } from "../command.ts";

export const configCheck: Command = {
  name: "config check",
  summary: "Check the configuration without touching the network",
  examples: ["config check", "config check --config ./lcops.config.json"],
  danger: "reads",
  async run(_input, context) {
    const config = await context.config();
    const counts = {
      path: context.configPath,
      environments: Object.keys(config.environments ?? {}).length,
      hosts: Object.keys(config.hosts ?? {}).length,
      services: Object.keys(config.services ?? {}).length,
      menuEntries: (config.menu ?? []).reduce((sum, group) => sum + group.entries.length, 0),
    };
    const { terminal } = context;
    if (terminal.flags.json) terminal.printJson({ valid: true, ...counts });
    else {
      terminal.note(
        `${counts.path}: well formed, ${countOf(counts.environments, "environment")}, ${countOf(counts.hosts, "host")}, ` +
          `${countOf(counts.services, "service")}, ${countOf(counts.menuEntries, "menu entry", "menu entries")}`,
      );
    }
    return 0;
  },
};
