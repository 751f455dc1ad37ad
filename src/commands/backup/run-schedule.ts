import { resolve } from "node:path";
import { formatCrontab, formatTimers, type Scheduled } from "../../backup/format-schedule.ts";
import { userName } from "../../config/folders.ts";
import type { Context, Input } from "../command.ts";
import { quoteWords } from "../quote-words.ts";
import { withBackups } from "./open-backups.ts";

/** What proves the sets of all jobs: every byte daily, a restore monthly. */
const VERIFY = "30 5 * * *";
const DRILL = "0 6 1 * *";

/** Given what was typed, do what `lcops backup schedule` says and return the exit code. */
export function runSchedule(input: Input, context: Context): Promise<number> {
  return withBackups(context, (backups) => {
    const { terminal } = context;
    const jobs = backups.pick(input.operands);
    // Not the flags of this very command line: --json would have cron mail events.
    const [node, program = ""] = context.self;
    const lcops = (...words: string[]): string =>
      quoteWords([node, program, "--config", resolve(context.configPath), ...words]);
    const timed = jobs.filter(({ job }) => job.schedule !== undefined);
    const entries: Scheduled[] = [
      ...timed.map(({ name, job }) => ({
        name: `backup-${name}`,
        cron: job.schedule ?? "",
        command: lcops("backup", "run", name),
      })),
      {
        name: "backup-verify",
        cron: VERIFY,
        command: lcops("backup", "verify", ...input.operands),
      },
      { name: "backup-drill", cron: DRILL, command: lcops("backup", "drill", ...input.operands) },
      ...timed
        .filter(({ job }) => job.keep)
        .map(({ name, job }) => ({
          name: `backup-prune-${name}`,
          cron: "0 7 * * *",
          command: lcops(
            "backup",
            "prune",
            name,
            ...(backups.openPlace(job.service).isProduction ? ["--confirm", name] : ["--yes"]),
          ),
        })),
    ];
    for (const { name } of jobs.filter(({ job }) => job.schedule === undefined))
      terminal.note(`${name} has no schedule, and is in neither`);
    if (terminal.flags.json) {
      terminal.printJson({
        crontab: formatCrontab(entries),
        units: formatTimers(entries, userName()),
      });
      return Promise.resolve(0);
    }
    terminal.print("# crontab -e: cron mails what is printed, and nothing is when all went well");
    for (const line of formatCrontab(entries)) terminal.print(line);
    for (const { path, lines } of formatTimers(entries, userName())) {
      terminal.print("");
      terminal.print(`# /etc/systemd/system/${path}`);
      for (const line of lines) terminal.print(line);
    }
    return Promise.resolve(0);
  });
}
