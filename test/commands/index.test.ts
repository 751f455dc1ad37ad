import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/build-program.ts";
import type { Command, Input } from "../../src/commands/command.ts";
import { commands, nouns } from "../../src/commands/index.ts";

/** Returns the meaning of a command line. Throws as commander does. */
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

/** The words of each example, as one shell splits them all. What the shell itself would do with `>` and `|` is left out. */
function splitExamples(): Map<string, string[]> {
  const examples = commands.flatMap((command) => command.examples);
  const lines = examples.map((example) => example.replace(/ > \S+$| \| source$/, ""));
  const script = lines.map((line) => `printf '%s\\0' ${line}; printf '\\1'`).join("\n");
  const parts = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\u0001");
  return new Map(examples.map((one, index) => [one, parts[index]?.split("\0").slice(0, -1) ?? []]));
}
const WORDS = splitExamples();

describe.each(commands.map((command) => [command.name, command] as const))(
  "%s",
  (name, command) => {
    test("has a summary of one line and examples of itself", () => {
      expect(command.summary).toMatch(/^[A-Z][^\n]{9,89}[^.\n]$/);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(`${example} `).toContain(`${name} `);
    });

    test("understands its own examples", () => {
      for (const example of command.examples) {
        const words = WORDS.get(example) ?? [];
        expect(words.length).toBeGreaterThan(0);
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
