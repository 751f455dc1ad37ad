import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findQueryLogs } from "../../src/workstation/find-query-log.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeEach(() => {
  programs = makePrograms();
});
afterEach(() => programs.remove());

describe("the query logs", () => {
  const find = (...answers: string[]) => {
    programs.write("mariadb", `printf '%s\\n' ${answers.join(" ")}`);
    return findQueryLogs({ environment: programs.environment });
  };

  test("are the files of those that are on", async () => {
    expect(await find("/var/lib/mysql/", "FILE", "1", "a.log", "0", "slow.log")).toEqual([
      "/var/lib/mysql/a.log",
    ]);
    expect(await find("/data", "TABLE,FILE", "1", "/log/a.log", "1", "slow.log")).toEqual([
      "/log/a.log",
      "/data/slow.log",
    ]);
  });

  test("are refused where none is on, or none goes into a file", async () => {
    await expect(find("/data", "FILE", "0", "a.log", "0", "b.log")).rejects.toMatchObject({
      kind: "refused",
      message: "no query log is on",
      next: "lcops machine on log turns it on",
    });
    await expect(find("/data", "TABLE", "1", "a.log", "0", "b.log")).rejects.toThrow(
      "the query log goes to TABLE, and into no file",
    );
  });
});
