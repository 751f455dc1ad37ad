import { expect, test } from "vitest";
import { runInProcess } from "../../support/run-in-process.ts";
import type { Setting } from "../../terminal/fake-streams.ts";

test.each<[string, string[], Setting]>([
  ["a pipe", [], { stdin: false, stdout: false, stderr: false }],
  ["--json", ["--json"], {}],
  ["--no-input", [], { flags: { input: false } }],
  ["a screen that cannot be drawn on", [], { environment: { TERM: "dumb" } }],
  ["keys", [], { stdin: false }],
])("health --watch is refused before anything is asked: %s", async (_what, words, setting) => {
  const result = await runInProcess(["health", "--watch", ...words], {}, setting);
  expect(result.code).toBe(2);
  const said = result.stderr + result.stdout;
  expect(said).toContain("health --watch needs a terminal to draw on");
  expect(said).toContain("run lcops health, or lcops health --json, again and again");
});
