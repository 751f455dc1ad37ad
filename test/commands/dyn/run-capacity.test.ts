import { expect, test } from "vitest";
import { runInProcess } from "../../support/run-in-process.ts";

test.each([
  ["--reads", "fast"],
  ["--reads", "-1"],
  ["--writes", "50/m"],
  ["--writes", "1e9"],
  ["--writes", ""],
])("dyn capacity %s %j is no rate, and nothing is read for it", async (flag, rate) => {
  expect(await runInProcess(["dyn", "capacity", "users", `${flag}=${rate}`])).toEqual({
    code: 2,
    stdout: "",
    stderr: `lcops: ${flag}: ${JSON.stringify(rate)} is no rate; give items by the second, e.g. 50/s\n`,
  });
});
