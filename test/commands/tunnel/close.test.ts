import { describe, expect, test } from "vitest";
import { runInProcess } from "../../support/run-in-process.ts";

describe("tunnel close", () => {
  test.each([[[]], [["graphite", "--all"]]])("wants names or --all, not %j", async (words) => {
    expect(await runInProcess(["tunnel", "close", ...words])).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: name the tunnels to close, or say --all; see lcops tunnel list\n",
    });
  });
});
