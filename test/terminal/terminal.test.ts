import { describe, expect, test } from "vitest";
import { printable } from "../../src/system/printable.ts";
import { matchKey, searchChoices } from "../../src/terminal/ask-menu.ts";
import { makePrompts } from "../../src/terminal/prompts.ts";
import { makeFakeTerminal, type Setting } from "./fake-streams.ts";

describe("colour", () => {
  test.each<[string, Setting, boolean]>([
    ["on a terminal", {}, true],
    ["in a pipe", { stdout: false }, false],
    ["with NO_COLOR", { environment: { NO_COLOR: "1" } }, false],
    ["with an empty NO_COLOR", { environment: { NO_COLOR: "" } }, true],
    ["with FORCE_COLOR in a pipe", { stdout: false, environment: { FORCE_COLOR: "1" } }, true],
    ["with FORCE_COLOR=0", { environment: { FORCE_COLOR: "0" } }, false],
    ["with both", { environment: { NO_COLOR: "1", FORCE_COLOR: "1" } }, false],
    ["with TERM=dumb", { environment: { TERM: "dumb" } }, false],
    ["with TERM=dumb and FORCE_COLOR", { environment: { TERM: "dumb", FORCE_COLOR: "3" } }, true],
    ["with --json", { flags: { json: true }, environment: { FORCE_COLOR: "1" } }, false],
    ["with --no-color", { flags: { color: false }, environment: { FORCE_COLOR: "1" } }, false],
  ])("%s: %o gives %s", (_name, setting, expected) => {
    const { terminal } = makeFakeTerminal(setting);
    expect(terminal.out.red("x") !== "x").toBe(expected);
  });

  test("is decided for each stream by itself", () => {
    const { terminal } = makeFakeTerminal({ stdout: false });
    expect([terminal.out.red("x"), terminal.err.red("x")]).toEqual(["x", "\u001b[31mx\u001b[39m"]);
  });
});

describe("a person is asked", () => {
  test.each<[string, Setting, boolean]>([
    ["on a terminal", {}, true],
    ["while the result goes into a pipe", { stdout: false }, true],
    ["not when the input is a pipe", { stdin: false }, false],
    ["not when stderr is a file", { stderr: false }, false],
    ["not with --no-input", { flags: { input: false } }, false],
    ["not in continuous integration", { environment: { CI: "true" } }, false],
  ])("%s", async (_name, setting, expected) => {
    const { terminal } = makeFakeTerminal(setting);
    expect(Boolean(terminal.canPrompt)).toBe(expected);
    if (expected) return;
    const prompts = makePrompts(terminal, new AbortController().signal);
    await expect(prompts.confirm("Sure?")).rejects.toMatchObject({ kind: "refused" });
  });
});

describe("what is written", () => {
  test("the result goes to stdout, everything else to stderr", () => {
    const { terminal, out, err } = makeFakeTerminal({ flags: { verbose: true } });
    terminal.print("result");
    terminal.printJson({ a: [1] });
    terminal.note("note");
    terminal.warn("warning");
    terminal.trace("step \u001b[2J");
    expect(out()).toBe('result\n{\n  "a": [\n    1\n  ]\n}\n');
    expect(err()).toBe("note\nwarning\nstep \\x1b[2J\n");
  });

  test("--quiet leaves warnings and results; steps are for -v", () => {
    const { terminal, out, err } = makeFakeTerminal({ flags: { quiet: true } });
    terminal.print("result");
    terminal.note("note");
    terminal.warn("warning");
    terminal.trace("step");
    expect([out(), err()]).toEqual(["result\n", "warning\n"]);
  });

  test("the width is that of stdout, else of stderr, else 80", () => {
    const width = (setting: Setting): number => makeFakeTerminal(setting).terminal.columns;
    expect(width({ columns: 33 })).toBe(33);
    expect(width({ columns: 33, stdout: false })).toBe(33);
    expect(width({ columns: 33, stdout: false, stderr: false })).toBe(80);
  });
});

describe("text from outside", () => {
  test.each([
    ["plain text, \u65e5\u672c \u{1f600} e\u0301", "plain text, \u65e5\u672c \u{1f600} e\u0301"],
    ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
    ["a\r\nb\tc", "a\\x0d\\nb\\x09c"],
    ["\u0000\u007f\u0080\u009f", "\\x00\\x7f\\x80\\x9f"],
    ["\u202e\u2066\u200f\u061c", "\\u202e\\u2066\\u200f\\u061c"],
    ["\u2028\u2029", "\\u2028\\u2029"],
  ])("%j is shown as %j", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe("the menu's search", () => {
  const choices = [
    { key: "1", label: "[EIP] SSH @ GraphStats" },
    { key: "b", label: "Backup W+E+R" },
    { key: "ba", label: "Backup AWS-S3" },
    { key: "rd", label: "ADM @ dev-api3-2" },
  ];
  const keys = (typed: string): string[] => searchChoices(choices, typed).map(({ key }) => key);

  test.each([
    ["", ["1", "b", "ba", "rd"]],
    ["  ", ["1", "b", "ba", "rd"]],
    ["b", ["b", "ba"]],
    ["BA", ["ba", "b"]],
    ["graph", ["1"]],
    ["1", ["1"]],
    ["w+e", ["b"]],
    ["[", ["1"]],
    ["(", []],
    ["16", []],
  ])("%j finds %j", (typed, expected) => {
    expect(keys(typed)).toEqual(expected);
  });

  test.each([
    ["b", "b"],
    [" RD ", "rd"],
    ["16", undefined],
    ["", undefined],
    ["r", undefined],
    ["toString", undefined],
  ])("Enter behind %j is the entry %j", (typed, expected) => {
    expect(matchKey(choices, typed)?.key).toBe(expected);
  });
});
