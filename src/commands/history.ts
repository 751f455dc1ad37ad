import type { Command } from "./command.ts";

export const history: Command = {
  name: "history",
  summary: "Show the journal: what was changed, when, by whom",
  examples: ["history", "history --json"],
  danger: "reads",
  async run(_input, context) {
    const { readJournal } = await import("../system/journal.ts");
    const entries = await readJournal(context.folders.state);
    if (context.terminal.flags.json) {
      context.terminal.printJson(entries);
      return 0;
    }
    if (entries.length === 0) context.terminal.note("nothing was changed with lcops yet");
    else {
      const { printTable } = await import("../terminal/table.ts");
      printTable(context.terminal, entries, [
        { title: "ID", value: (entry) => entry.id },
        { title: "WHEN", value: (entry) => entry.at },
        { title: "WHO", value: (entry) => entry.by },
        { title: "CHANGE", value: (entry) => entry.change },
        { title: "STATE", value: ({ outcome }) => outcome?.state ?? "not known" },
        { title: "COMMAND", value: (entry) => entry.command },
      ]);
    }
    return 0;
  },
};
