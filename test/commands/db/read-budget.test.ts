import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBudget } from "../../../src/commands/db/read-budget.ts";
import { runInProcess } from "../../support/run-in-process.ts";

describe("--budget", () => {
  test.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["1s", 1_000],
    ["999999h", 999_999 * 3_600_000],
  ])("%s is %i ms", (text, ms) => {
    expect(readBudget(text)).toBe(ms);
  });

  test("is no limit where it is absent", () => {
    expect(readBudget(undefined)).toBeUndefined();
    expect(readBudget(true)).toBeUndefined();
  });

  test("is nothing else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d{1,6}[smh]$/.test(text));
        expect(() => readBudget(text)).toThrow(/is no time/);
      }),
      { examples: [["5"], ["0s"], ["-1s"], ["1.5h"], ["1 h"], ["1H"], ["1d"], ["1000000s"], [""]] },
    );
  });
});

test("db check refuses a budget that is none before anything is read", async () => {
  const result = await runInProcess(["db", "check", "--budget", "5"]);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/--budget: "5" is no time; say 90s, 30m or 2h/);
});
