import { describe, expect, test } from "vitest";
import { EXIT_CODES } from "../../src/commands/exit-codes.ts";

describe("exit codes", () => {
  test("are those of the contract", () => {
    expect(EXIT_CODES.map(({ code, meaning }) => `${code}: ${meaning}`)).toEqual([
      '0: done, all of it; also "nothing to do"',
      "1: failed: nothing of it was done, or all of it was undone",
      "2: the command line or the configuration is wrong; nothing was touched",
      "3: done in part: the output names what is missing",
      "4: a check found what it looks for: inconsistency, corrupt backup, failed drill, bad health",
      "5: refused: it needs a confirmation, or a guard or a conflict stands in the way",
      "6: another run holds the lock",
      "130, 143: stopped by SIGINT, SIGTERM, after cleaning up; a closed pipe ends quietly",
      "255: ssh, mysql, tunnel open -- COMMAND: lcops failed before the child; else the child's own code",
    ]);
  });
});
