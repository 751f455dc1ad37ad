import path from "node:path";
import { describe, expect, test } from "vitest";
import { readOutputPath } from "../../../src/commands/dyn/output-path.ts";
import { tellFailure } from "../../support/fake-context.ts";

describe("--output", () => {
  test("is the whole path of a file, which need not be there, or stdout", async () => {
    expect(await readOutputPath("row.json")).toBe(path.resolve("row.json"));
    expect(await readOutputPath("/etc/hostname")).toBe("/etc/hostname");
    expect(await readOutputPath("-")).toBe("-");
  });

  test.each<[unknown, string]>([
    ["", "--output needs the path of a file, or -"],
    [true, "--output needs the path of a file, or -"],
    ["/tmp", "--output: /tmp is no file; name a file in it"],
    ["/dev/null", "--output: /dev/null is no file; name a file; - is stdout"],
  ])("is not %j", async (output, said) => {
    expect(await tellFailure(() => readOutputPath(output))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});
