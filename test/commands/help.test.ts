import { describe, expect, test } from "vitest";
import { runInProcess } from "../support/run-in-process.ts";

/** The command line that shows the help. */
async function ask(...words: string[]): Promise<string> {
  let ran = "";
  const { code } = await runInProcess(["help", ...words], {
    runLcops: (further) => {
      ran = further.join(" ");
      return Promise.resolve(7);
    },
  });
  expect(code).toBe(7);
  return ran;
}

describe("help", () => {
  test.each([
    [[], "--help"],
    [["tunnel"], "tunnel --help"],
    [["tunnel", "open"], "tunnel open --help"],
    [["li"], "li --help"],
    [["dbConsistency"], "dbConsistency --help"],
  ])("on %j is what %s shows", async (words, ran) => {
    expect(await ask(...words)).toBe(ran);
  });

  test.each([
    [["nosuch"], /there is no help on nosuch; lcops help lists the commands/],
    [["tunnel", "nosuch"], /no help on tunnel nosuch/],
    [["open"], /no help on open/],
  ])("on %j there is none", async (words, said) => {
    const result = await runInProcess(["help", ...words]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(said);
  });

  test("on exit-codes is the table of the contract", async () => {
    const { stdout } = await runInProcess(["help", "exit-codes"]);
    expect(stdout.replace(/ {2,}/g, "  ").split("\n")).toEqual([
      '0  done, all of it; also "nothing to do"',
      "1  failed: nothing of it was done, or all of it was undone",
      "2  the command line or the configuration is wrong; nothing was touched",
      "3  done in part: the output names what is missing",
      "4  a check found what it looks for: inconsistency, corrupt backup, failed drill, bad health",
      "5  refused: it needs a confirmation, or a guard or a conflict stands in the way",
      "6  another run holds the lock",
      expect.stringMatching(/^130, 143 +stopped by SIGINT, SIGTERM, after cleaning up/),
      expect.stringMatching(/^255 .*lcops failed before the child/),
      "",
    ]);
    const { stdout: json } = await runInProcess(["help", "exit-codes", "--json"]);
    expect((JSON.parse(json) as { code: string }[]).map(({ code }) => code)).toEqual(
      "0 1 2 3 4 5 6".split(" ").concat("130, 143", "255"),
    );
  });
});
