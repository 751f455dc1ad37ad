import type { Command } from "../command.ts";

export const machineLog: Command = {
  name: "machine log",
  summary: "Follow the query log of this machine's MySQL while it is on",
  examples: ["machine log", "machine log --json"],
  danger: "reads",
  async run(_input, context) {
    const { runLog } = await import("./run-log.ts");
    return runLog(context);
  },
};
