import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteWords, remoteCommand } from "../../src/commands/quote-words.ts";

describe("words for a shell", () => {
  test.each([
    [["ssh", "GraphStats", "--", "uptime"], "ssh GraphStats -- uptime"],
    [["a b"], "'a b'"],
    [[""], "''"],
    [["it's"], "'it'\\''s'"],
    [["~", "*", "$HOME"], "'~' '*' '$HOME'"],
    [["role=api,env=prod", "/x/y.z:1@2+3%"], "role=api,env=prod /x/y.z:1@2+3%"],
    [[], ""],
  ])("%j are written %s", (words, expected) => {
    expect(quoteWords(words)).toBe(expected);
  });

  test("come back from a real shell as they went in", async () => {
    const words = [
      "",
      " ",
      "'",
      "''",
      '"',
      "\\",
      "\\'",
      "a'b'c",
      "$(id)",
      "`id`",
      "${HOME}",
      "!!",
      "~",
      "~root",

      "*",
      "?",
      "[a]",
      "{a,b}",
      "a;b",
      "a&b",
      "a|b",
      "<x",
      ">x",
      "(x)",
      "#x",
      "x\ny",
      "\n",
      "\t",
      "-n",
      "--",
      "a=b",
      "\u00e4\u{1f600}",
      "\u001b[31m",
      "%s",
      "\r",
      "x".repeat(10_000),
    ];
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      `printf '%s\\0' ${quoteWords(words)}`,
    ]);
    expect(stdout.split("\0").slice(0, -1)).toEqual(words);
  });

  test("come back from a real shell, whatever they are", async () => {
    const words = fc.sample(
      fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
      { numRuns: 500, seed: 1 },
    );
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      `printf '%s\\0' ${quoteWords(words)}`,
    ]);
    expect(stdout.split("\0").slice(0, -1)).toEqual(words);
  });
});

describe("a command for the shell of a host", () => {
  test.each([
    [["df -h | sort"], "df -h | sort"],
    [["printf", "%s|", "a b", "$HOME"], "printf '%s|' 'a b' '$HOME'"],
    [[""], ""],
    [["", ""], "'' ''"],
  ])("%j is %s", (words, command) => {
    expect(remoteCommand(words)).toBe(command);
  });
});
