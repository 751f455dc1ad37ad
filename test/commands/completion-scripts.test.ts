import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { makeCompletion, SHELLS } from "../../src/commands/completion-scripts.ts";
import { commands } from "../../src/commands/index.ts";

describe("completion", () => {
  test.each(SHELLS)("for %s contains every command and its options", (shell) => {
    const script = makeCompletion(shell, commands);
    for (const { name, options = [] } of commands) {
      for (const word of name.split(" ")) expect(script).toMatch(new RegExp(`\\b${word}\\b`));
      for (const { flags } of options) {
        const long = /--([a-z-]+)/.exec(flags)?.[1] ?? "";
        expect(script).toContain(shell === "fish" ? `-l ${long}` : `--${long}`);
      }
    }
  });

  test.each([
    ["lcops tunn", ["tunnel"]],
    ["lcops tunnel o", ["open"]],
    ["lcops config init --dr", ["--dry-run"]],
    ["lcops config show --dr", []],
    ["lcops tunnel ''", ["open", "list", "logs", "retry", "close"]],
    ["lcops con", ["config"]],
    ["lcops config s", ["show", "schema"]],
    ["lcops --json config c", ["check"]],
    ["lcops --config x.json config c", ["check"]],
    ["lcops mysql --re", ["--replica"]],
    ["lcops completion f", ["fish"]],
    ["lcops ssh web -- con", []],
    ["lcops '$(touch /tmp/lcops-was-here)' con", []],
  ])("in bash, %s gives %j", async (line, expected) => {
    const script = `${makeCompletion("bash", commands)}
      lcops() { :; }
      COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _lcops
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", script]);
    expect(stdout.split("\n").filter(Boolean)).toEqual(expected);
  });
});
