/** What each exit code says; `cli/exit-code-of.ts` maps errors to them. Scripts depend on them. */
export const EXIT_CODES = [
  { code: "0", meaning: 'done, all of it; also "nothing to do"' },
  { code: "1", meaning: "failed: nothing of it was done, or all of it was undone" },
  { code: "2", meaning: "the command line or the configuration is wrong; nothing was touched" },
  { code: "3", meaning: "done in part: the output names what is missing" },
  {
    code: "4",
    meaning:
      "a check found what it looks for: inconsistency, corrupt backup, failed drill, bad health",
  },
  {
    code: "5",
    meaning: "refused: it needs a confirmation, or a guard or a conflict stands in the way",
  },
  { code: "6", meaning: "another run holds the lock" },
  {
    code: "130, 143",
    meaning: "stopped by SIGINT, SIGTERM, after cleaning up; a closed pipe ends quietly",
  },
  {
    code: "255",
    meaning:
      "ssh, mysql, tunnel open -- COMMAND: lcops failed before the child; else the child's own code",
  },
] as const;
