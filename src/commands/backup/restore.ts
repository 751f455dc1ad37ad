import type { Command } from "../command.ts";

export const backupRestore: Command = {
  name: "backup restore",
  summary: "Read a set, or one table or metric of it, back into a service or a folder",
  operands: [{ syntax: "<set>", description: "a set, or a job for its newest" }],
  options: [
    {
      flags: "--into <target>",
      description: "SERVICE, SERVICE/DATABASE or /PREFIX, or for files /FOLDER of this machine",
    },
    {
      flags: "--only <object>",
      description: "one table, database, metric, object or folder of it",
    },
    { flags: "--in-place", description: "allow the target to be what the set was read from" },
  ],
  examples: [
    "backup restore school --only school.students --into school-dev/rescued",
    "backup restore 20260131T021500Z-7f3a9c --into school-dev --dry-run",
    "backup restore graphite --only stats.counters --into /srv/rescued",
  ],
  danger: "destroys",
  aws: true,
  unattended: "--into TARGET and --yes, in production --confirm TARGET",
  async run(input, context) {
    const { runRestore } = await import("./run-restore.ts");
    return runRestore(input, context);
  },
};
