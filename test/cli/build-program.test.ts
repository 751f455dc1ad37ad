import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/build-program.ts";
import type { Command, Input } from "../../src/commands/command.ts";
import { commands, nouns } from "../../src/commands/index.ts";

const make = (name: string, more: Partial<Command> = {}): Command => ({
  name,
  summary: `Do ${name}`,
  examples: [`${name} x`],
  danger: "reads",
  run: () => Promise.resolve(0),
  ...more,
});

/** Returns what the parser makes of a command line: the command, its input, the help that it prints, or its error. */
function parse(all: readonly Command[], words: readonly string[]) {
  let typed: { command: Command; input: Input } | undefined;
  let printed = "";
  const program = buildProgram({
    commands: all,
    nouns: { cache: "Look after the cache" },
    version: "1.2.3",
    rest: ["behind"],
    act: (command, input) => void (typed = { command, input }),
  });
  const print = { writeOut: (text: string) => void (printed += text), writeErr: () => {} };
  for (const target of [
    program,
    ...program.commands,
    ...program.commands.flatMap((c) => c.commands),
  ])
    target.configureOutput(print);
  let error = "";
  try {
    program.parse([...words], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode !== 0) error = thrown.message;
  }
  return { typed, printed, error };
}

const GUARDS = ["--dry-run", "--yes", "--confirm"];

describe("the gate flags", () => {
  test.each<[string, Partial<Command>, boolean]>([
    ["reads", { danger: "reads" }, false],
    ["writes", { danger: "writes" }, true],
    ["destroys", { danger: "destroys" }, true],
    ["opens a client", { danger: "writes", changesEstate: false }, false],
  ])("belong to a command that changes something: one that %s", (_what, more, has) => {
    const { printed } = parse([make("one", more)], ["one", "--help"]);
    for (const flag of GUARDS) expect(printed.includes(flag)).toBe(has);
  });

  test("belong to every command of lcops that destroys", () => {
    for (const command of commands.filter(({ danger }) => danger === "destroys"))
      expect(command.changesEstate).not.toBe(false);
  });

  test("are read: --confirm wants a name", () => {
    const one = make("one", { danger: "destroys" });
    expect(parse([one], ["one", "--dry-run", "--confirm", "x"]).typed?.input.options).toEqual({
      dryRun: true,
      confirm: "x",
    });
    expect(parse([one], ["one", "--confirm"]).error).toMatch(/argument missing/);
  });
});

describe("a command", () => {
  test("has --profile and --region where it speaks to AWS, and not elsewhere", () => {
    const words = ["one", "--profile", "p", "--region", "r"];
    expect(parse([make("one", { aws: true })], words).typed?.input.options).toEqual({
      profile: "p",
      region: "r",
    });
    expect(parse([make("one")], words).error).toMatch(/unknown option '--profile'/);
  });

  test("gets its operands, its options and the words behind --", () => {
    const one = make("cache flush", {
      operands: [{ syntax: "<name>", description: "a name" }],
      options: [{ flags: "--db [index]", description: "a database" }],
    });
    expect(parse([one], ["cache", "flush", "a", "--db", "3"]).typed).toEqual({
      command: one,
      input: { operands: ["a"], options: { db: "3" }, rest: ["behind"] },
    });
    expect(parse([one], ["cache", "flush", "a", "--db"]).typed?.input.options).toEqual({
      db: true,
    });
  });

  test("is found by its alias and by its script, which the help does not show", () => {
    const one = make("cache flush", { aliases: ["fl"], script: "flushCache" });
    expect(parse([one], ["cache", "fl"]).typed?.command).toBe(one);
    expect(parse([one], ["flushCache"]).typed?.command).toBe(one);
    expect(parse([one], ["--help"]).printed).not.toContain("flushCache");
    expect(parse([one], ["cache", "--help"]).printed).not.toContain("fl ");
  });

  test("tells in its help what may follow --, what it needs unattended, and examples", () => {
    const more = { rest: "COMMAND to run", unattended: "--yes" };
    const { printed } = parse([make("one", more)], ["one", "--help"]);
    expect(printed).toContain("\nBehind --:  COMMAND to run\n");
    expect(printed).toContain("\nWithout a terminal it needs --yes.\n");
    expect(printed).toMatch(/\nExamples:\n {2}lcops one x\n$/);
    const plain = parse([make("one")], ["one", "--help"]).printed;
    expect(plain).not.toMatch(/Behind --|Without a terminal/);
  });
});

test("a noun has its own help, and shows that where its verb is missing", () => {
  const all = [make("cache flush"), make("cache show")];
  const { printed } = parse(all, ["cache", "--help"]);
  expect(printed).toContain("Look after the cache");
  expect(printed).toMatch(/flush +Do cache flush\n/);
  expect(parse(all, ["cache"]).error).toBe("(outputHelp)");
});

test("the version is printed, and every command is in the help of all", () => {
  expect(parse([], ["--version"]).printed).toBe("1.2.3\n");
  const { printed } = parse(commands, ["--help"]);
  for (const noun of Object.keys(nouns)) expect(printed).toMatch(new RegExp(`^ +${noun}\\b`, "m"));
  for (const { name } of commands)
    expect(printed).toMatch(new RegExp(`^ +${name.split(" ")[0]}\\b`, "m"));
});
