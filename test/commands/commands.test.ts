import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/build-program.ts";
import { exitCodeOf, StopSignal } from "../../src/cli/exit-code-of.ts";
import type { Command, Input } from "../../src/commands/command.ts";
import { makeCompletion, SHELLS } from "../../src/commands/completion-scripts.ts";
import { EXIT_CODES } from "../../src/commands/exit-codes.ts";
import { commands, nouns } from "../../src/commands/index.ts";
import { OperatorError, type ErrorKind } from "../../src/system/errors.ts";

/** What a command line means; throws what commander throws. */
function parse(words: readonly string[]): { command: Command; input: Input } | undefined {
  let typed: { command: Command; input: Input } | undefined;
  const program = buildProgram({
    commands,
    nouns,
    version: "0",
    rest: undefined,
    act: (command, input) => void (typed = { command, input }),
  });
  program.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  program.parse([...words], { from: "user" });
  return typed;
}

/** The words of an example, as a shell splits them; what the shell itself would do with `>` and `|` is left away. */
async function split(example: string): Promise<string[]> {
  const line = example.replace(/ > \S+$| \| source$/, "");
  const { stdout } = await promisify(execFile)("sh", ["-c", `printf '%s\\0' ${line}`]);
  return stdout.split("\0").slice(0, -1);
}

describe.each(commands.map((command) => [command.name, command] as const))(
  "%s",
  (name, command) => {
    test("has a summary of one line and examples of itself", () => {
      expect(command.summary).toMatch(/^[A-Z][^\n]{9,89}[^.\n]$/);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(`${example} `).toContain(`${name} `);
    });

    test("understands its own examples", async () => {
      for (const example of command.examples) {
        const words = await split(example);
        const dashes = words.indexOf("--");
        expect(parse(dashes < 0 ? words : words.slice(0, dashes))?.command).toBe(command);
        if (dashes >= 0) expect(command.rest).toBeDefined();
      }
    });

    test("refuses an option and an operand too many", () => {
      const operands = (command.operands ?? []).map(() => "x");
      expect(() => parse([...name.split(" "), ...operands, "--no-such-option"])).toThrow(
        "unknown option",
      );
      if (command.operands?.some(({ syntax }) => syntax.includes("..."))) return;
      expect(() => parse([...name.split(" "), ...operands, "one", "two"])).toThrow(
        "too many arguments",
      );
    });
  },
);

describe("the list of commands", () => {
  test("has each name once, and a word for each noun", () => {
    const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const { name } of commands)
      if (name.includes(" ")) expect(nouns[name.split(" ")[0] ?? ""]).toBeDefined();
  });
});

describe("exit codes", () => {
  test("are those of the contract", () => {
    expect(EXIT_CODES.map(({ code, meaning }) => `${code}: ${meaning}`)).toEqual([
      '0: done, all of it; also "nothing to do"',
      "1: failed: nothing of it was done, or all of it was undone",
      "2: the command line or the configuration is wrong; nothing was touched",
      "3: done in part: the output names what is missing",
      "4: a check found what it looks for: inconsistency, corrupt backup, failed drill, bad health",
      "5: refused: it needs a confirmation, or a guard or a conflict stands in the way",
      "6: another run holds the lock",
      "130, 143: stopped by SIGINT, SIGTERM, after cleaning up; a closed pipe ends quietly",
      "255: ssh, mysql, tunnel open -- COMMAND: lcops failed before the child; else the child's own code",
    ]);
  });

  test.each<[ErrorKind, number]>([
    ["usage", 2],
    ["configuration", 2],
    ["missing", 1],
    ["access", 1],
    ["unreachable", 1],
    ["refused", 5],
    ["locked", 6],
    ["cancelled", 130],
    ["failed", 1],
  ])("an error of the kind %s ends with %i", (kind, code) => {
    expect(exitCodeOf(new OperatorError(kind, "x"))).toBe(code);
  });

  test("of signals and faults", () => {
    const codes = [new StopSignal("SIGINT"), new StopSignal("SIGTERM"), new Error("x"), "x"];
    expect(codes.map(exitCodeOf)).toEqual([130, 143, 1, 1]);
  });
});

describe("completion", () => {
  test.each(SHELLS)("of %s knows every command and its options", (shell) => {
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
