import { expect, test } from "vitest";
import { runInProcess } from "../../support/run-in-process.ts";

test("a row is created or replaced, not both", async () => {
  const words = ["dyn", "upload-row", "/nosuch.json", "--create", "--replace"];
  expect(await runInProcess(words)).toEqual({
    code: 2,
    stdout: "",
    stderr: "lcops: --create and --replace exclude each other\n",
  });
});

test("a file that cannot be read is named before AWS is asked", async () => {
  const result = await runInProcess(["dyn", "upload-row", "/nosuch.json"]);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/^lcops: cannot read \/nosuch\.json: ENOENT/);
});
