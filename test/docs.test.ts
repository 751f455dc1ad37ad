import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import type { Command } from "../src/commands/command.ts";
import { commands, nouns } from "../src/commands/index.ts";
import { findCommandLines } from "./support/find-command-lines.ts";
import { listFlags } from "./support/list-flags.ts";
import { findMistake, renameOld } from "./support/parse-command-line.ts";
import { readMarkdown } from "./support/read-markdown.ts";
import { listFiles, readPage, ROOT } from "./support/read-documents.ts";

const files = listFiles();
const pages = files.filter((file) => file.endsWith(".md"));
/** The changelog tells of names that are gone. */
const taught = pages.filter((page) => page !== "CHANGELOG.md");

/** Returns what is wrong with a command line that is not meant to be typed, `lcops menu KEY`: its command and its flags exist. */
function judgeOutline(text: string): string | undefined {
  const words = text.split(" ").slice(1);
  const [typed = "", ...others] = words;
  if (words.length === 0 || typed.startsWith("-")) return undefined;
  // With the names of today: `uu` is `fleet upgrade`.
  const [first = "", second] = renameOld([typed, ...others]);
  const name = second === undefined ? first : `${first} ${second}`;
  const known = commands.filter(
    ({ name: own, aliases = [], script }) =>
      own === name ||
      own === first ||
      script === first ||
      aliases.some((alias) => alias === first || `${own.split(" ")[0]} ${alias}` === name),
  );
  if (known.length === 0 && !(words.length === 1 && Object.hasOwn(nouns, first)))
    return `unknown command ${name}`;
  const shortOf = ({ options = [] }: Command): string[] =>
    options.flatMap(({ flags: text }) => /^-\w(?=,)/.exec(text)?.[0] ?? []);
  const flags = new Set([
    "-q",
    "-v",
    "-h",
    ...known.flatMap((command) => [...listFlags(command), ...shortOf(command)]),
  ]);
  const dashes = words.indexOf("--");
  const unknown = words
    .slice(0, dashes < 0 ? undefined : dashes)
    .map((word) => /^\[?(--?[a-zA-Z][a-z-]*)/.exec(word)?.[1])
    .find((flag) => flag !== undefined && !flags.has(flag));
  return unknown === undefined ? undefined : `unknown option ${unknown}`;
}

test("the documents are found", () => {
  expect(pages).toEqual(
    expect.arrayContaining(["README.md", "CONTRIBUTING.md", "docs/contract.md"]),
  );
});

describe.each(pages)("%s", (page) => {
  const { links } = readPage(page);

  test("has links that lead somewhere", () => {
    const broken = links.filter(({ text }) => {
      if (/^([a-z]+:|\/\/)/i.test(text)) return false;
      const [path = "", anchor] = text.split("#");
      const target = path === "" ? page : normalize(join(dirname(page), path));
      const isThere = files.includes(target) || files.some((file) => file.startsWith(`${target}/`));
      if (!isThere) return true;
      return anchor !== undefined && !readPage(target).anchors.has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test("the links of the README lead to files of the package", () => {
  const packed = [...manifest.files, "README.md", "LICENSE"];
  const targets = readPage("README.md").links.map(({ text }) => text.replace(/#.*$/, ""));
  const local = targets.filter((target) => target !== "" && !/^[a-z]+:/i.test(target));
  expect(local.length).toBeGreaterThan(0);
  for (const target of local) expect(packed).toContain(target.split("/")[0]);
});

describe.each(taught)("%s", (page) => {
  const { code, spans } = readPage(page);
  const lines = code.filter(({ language }) => language !== "synopsis");

  test("has command lines that lcops understands", () => {
    const wrong = joinLines(lines).flatMap(({ line, text }) => {
      const found = findCommandLines(text);
      // Nothing is passed over in silence.
      if (found.length === 0 && !/^\s*npm /.test(text)) return [`${page}:${line}: cannot be read`];
      return found.flatMap((words) => {
        const why = findMistake(words);
        return why === undefined ? [] : [`${page}:${line}: lcops ${words.join(" ")}: ${why}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  test("names scripts of npm that exist", () => {
    const named = [...code, ...spans].flatMap(({ line, text }) =>
      [...text.matchAll(/\bnpm run(?:-script)? (?:-\S+ )*([^\s`;&|)]+)/g)].map(
        ([, script = ""]) => ({
          line,
          script,
        }),
      ),
    );
    expect(named.filter(({ script }) => !Object.hasOwn(manifest.scripts, script))).toEqual([]);
  });

  test("names commands and options that exist", () => {
    const synopses = code.filter(({ language }) => language === "synopsis");
    const outlines = [...spans, ...synopses].flatMap(({ line, text }) =>
      // Any `lcops` of it: behind a variable, a program, a pipe.
      [...text.matchAll(/(?<![\w./@~-])lcops(?:@\S+)?(?= |$)[^|;&]*/g)].map(([outline]) => ({
        line,
        text: outline.replace(/^lcops@\S+/, "lcops").trim(),
      })),
    );
    const wrong = outlines.flatMap(({ line, text }) => {
      const why = judgeOutline(text);
      return why === undefined ? [] : [`${page}:${line}: ${text}: ${why}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe("comments and tests", () => {
  const sources = files.filter((file) =>
    /^(?:(?:src|test|bin)\/.*|[\w.]+\.config)\.(?:ts|js|cjs|mjs)$/.test(file),
  );
  const lines = sources.flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .map((text, index, all) => ({ at: `${file}:${index + 1}`, text, before: all[index - 1] })),
  );

  test("cite no document that is not in the repository", () => {
    const cited = lines
      .filter(({ at, text }) => text.includes(".md") && !at.startsWith("test/docs.test.ts:"))
      .flatMap(({ at, text }) =>
        [...text.matchAll(/(?<![\w`}/])(?:\.\.\/)*[\w-]+(?:\/[\w-]+)*\.md\b/g)].map(([name]) => ({
          at,
          name,
        })),
      );
    expect(cited.filter(({ name }) => !files.includes(name))).toEqual([]);
  });

  test("cite no numbers of cases", () => {
    const inComment = /(?<![\w.])[cd]\d{1,2}(?![\w.]\w)/;
    const inName = / \([cd]?\d{1,2}(?:(?:, | to | and )[cd]?\d{1,2})*\)["'`],/;
    const isComment = /^\s*(?:\/\/|\/?\*)/;
    // A name is the first argument, on the line of the call or the next one.
    const isName = (text: string, before = ""): boolean =>
      /\b(?:test|describe)\b.*\(/.test(text) || before.endsWith("(");
    const cited = lines.filter(
      ({ text, before }) =>
        (isComment.test(text) && inComment.test(text)) ||
        (isName(text, before) && inName.test(text)),
    );
    expect(cited).toEqual([]);
  });
});

/** A line of shell that ends with a backslash goes on with the next. */
function joinLines(lines: readonly { line: number; text: string }[]) {
  const joined: { line: number; text: string }[] = [];
  for (const { line, text } of lines) {
    const last = joined.at(-1);
    if (last?.text.endsWith("\\")) last.text = `${last.text.slice(0, -1)} ${text.trim()}`;
    else joined.push({ line, text });
  }
  // JSON and the like are no shell: only a line with the word is read as one.
  const names = /(^|[\s"'`(/])lcops(\.js)?(\s|$)/;
  return joined.filter(({ text }) => names.test(text.replace(/(^|\s)#.*$/, "")));
}

describe("the search for command lines", () => {
  test.each<[string, string[][]]>([
    ["    lcops   # opens the menu", [[]]],
    ["npx lcops hosts 'dev-*' --json | jq -r '.hosts[]' > x", [["hosts", "dev-*", "--json"]]],
    ["lcops a && lcops b; lcops c", [["a"], ["b"], ["c"]]],
    ["source <(lcops completion bash)", [["completion", "bash"]]],
    ['url="$(lcops hosts --json)" x', [["hosts", "--json"]]],
    ["x $(lcops hosts) 2>/dev/null", [["hosts"]]],
    ["lcops ssh web -- 'df -h | sort'", [["ssh", "web", "--", "df -h | sort"]]],
    [
      "lcops tunnel open a -- lcops ssh b",
      [
        ["tunnel", "open", "a", "--", "lcops", "ssh", "b"],
        ["ssh", "b"],
      ],
    ],
    ["sh -c 'lcops health -q | wc -l'", [["health", "-q"]]],
    ["15 2 * * * lcops backup run", [["backup", "run"]]],
    ["node bin/lcops.js hosts", [["hosts"]]],
    ["npm install --global lcops", []],
    ["export LCOPS_CONFIG=~/lcops.json", []],
  ])("%s", (line, expected) => {
    expect(findCommandLines(line)).toEqual(expected);
  });

  test("refuses a line that it cannot read", () => {
    expect(() => findCommandLines("lcops ssh web -- 'df")).toThrow("is not closed");
  });
});

describe("the judgement of command lines", () => {
  test.each([
    ["nosuch", /unknown command/],
    ["hosts --nosuch", /unknown option/],
    ["tunnel open", /missing required argument/],
    ["completion bash zsh", /too many arguments/],
    ["hosts -- x", /takes nothing behind --/],
    ["dyn", /.*/],
  ])("%s is wrong", (line, why) => {
    expect(findMistake(line.split(" "))).toMatch(why);
  });

  test.each(["", "uu --dry-run", "dyn dump-row t -- -1", "--json hosts", "li --all", "help ssh"])(
    "%s is right",
    (line) => {
      expect(findMistake(line.split(" ").filter(Boolean))).toBeUndefined();
    },
  );

  test.each([
    ["lcops menu KEY", undefined],
    ["lcops dyn", undefined],
    ["lcops --version", undefined],
    ["lcops backup restore SET --into TARGET", undefined],
    ["lcops ssh HOST -- ls --all", undefined],
    ["lcops uu --dry-run", undefined],
    ["lcops dyn dumpRow TABLE", undefined],
    ["lcops nosuch KEY", "unknown command nosuch KEY"],
    ["lcops tunnel nosuch", "unknown command tunnel nosuch"],
    ["lcops hosts [--nosuch]", "unknown option --nosuch"],
  ])("%s as an outline: %s", (text, why) => {
    expect(judgeOutline(text)).toBe(why);
  });
});

describe("the reading of Markdown", () => {
  const page = readMarkdown(
    '# A `b` page\n\n## Same\n## Same\n\nSee [one](x.md#y "t") and `lcops\nhosts`.\n\n    lcops a\n\nText\n    no code\n\n```synopsis\nlcops b\n```\n\n| a | b \\| c |\n|---|---|\n',
  );

  test("finds code, links, anchors and tables", () => {
    expect(page.code).toEqual([
      { line: 9, text: "    lcops a", language: "" },
      { line: 15, text: "lcops b", language: "synopsis" },
    ]);
    expect(page.links).toEqual([{ line: 6, text: "x.md#y" }]);
    expect(page.spans.map(({ text }) => text)).toEqual(["b", "lcops hosts"]);
    expect([...page.anchors]).toEqual(["a-b-page", "same", "same-1"]);
    expect(page.tables).toEqual([[["a", "b | c"]]]);
  });
});
