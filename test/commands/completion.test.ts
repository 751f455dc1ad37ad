import { expect, test } from "vitest";
import { runInProcess } from "../support/run-in-process.ts";

test("the script of a shell is printed, and another shell is refused with those that there are", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await runInProcess(["completion", shell]);
    expect(code).toBe(0);
    expect(stdout).toContain("lcops");
  }
  const { code, stderr } = await runInProcess(["completion", "tcsh"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^lcops: .*tcsh; name one of bash, zsh, fish\n$/);
});
