import type { Command } from "../command.ts";

export const backupSchedule: Command = {
  name: "backup schedule",
  summary: "Print the jobs as lines of a crontab and as timers of systemd",
  operands: [{ syntax: "[job...]", description: "names of jobs, all of them when absent" }],
  examples: ["backup schedule", "backup schedule school --json"],
  danger: "reads",
  async run(input, context) {
    const { runSchedule } = await import("./run-schedule.ts");
    return runSchedule(input, context);
  },
};
