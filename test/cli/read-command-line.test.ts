import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type CommandLine, readCommandLine } from "../../src/cli/read-command-line.ts";
import { commands } from "../../src/commands/index.ts";
import { runInProcess } from "../support/run-in-process.ts";

const read = (...words: string[]): CommandLine => readCommandLine(words, "0", () => false);

/** The name of the command, and what was typed for it. */
function readCommand(...words: string[]) {
  const line = read(...words);
  if (line.kind !== "command") throw new Error(`${words.join(" ")} is ${line.kind}`);
  return { name: line.command.name, ...line.input, flags: line.flags };
}

function readRefusal(...words: string[]) {
  const line = read(...words);
  if (line.kind !== "refused") throw new Error(`${words.join(" ")} is ${line.kind}`);
  return line;
}

describe("a command line", () => {
  test.each<[string[], string]>([
    [["hosts"], "hosts"],
    [["li"], "hosts"],
    [["tunnel", "open", "x"], "tunnel open"],
    [["awsConnect"], "menu"],
    [["uu"], "fleet upgrade"],
    [["--env", "uu", "uu"], "fleet upgrade"],
    [["dbConsistency"], "db check"],
    [["dyn", "uploadRow", "row.json"], "dyn upload-row"],
    [["--config", "hosts", "doctor"], "doctor"],
    [["--json", "--no-input", "doctor"], "doctor"],
  ])("%j runs %s", (words, name) => {
    expect(readCommand(...words).name).toBe(name);
  });

  test("renames the command alone, and no word of the same text", () => {
    expect(readCommand("--env", "uu", "uu", "uu", "--yes")).toMatchObject({
      name: "fleet upgrade",
      operands: ["uu"],
      flags: { env: "uu" },
    });
  });

  test("opens the menu for global flags alone, on a terminal", () => {
    for (const words of [[], ["--env", "dev"], ["-q", "--config=x.json"], ["--json"]]) {
      const line = readCommandLine(words, "0", () => true);
      expect(line).toMatchObject({ kind: "command", command: { name: "menu" } });
    }
    expect(readCommandLine(["--bogus"], "0", () => true)).toMatchObject({
      kind: "refused",
      topic: "",
    });
  });

  test("asks whether a person is there only where nothing else says what to do", () => {
    const never = (): boolean => {
      throw new Error("it was asked");
    };
    expect(readCommandLine(["hosts"], "0", never).kind).toBe("command");
  });

  test("hands on the words behind -- as they are", () => {
    const words = ["-x", "--", "", "--json", "a b"];
    expect(readCommand("ssh", "web", "--", ...words)).toMatchObject({
      operands: ["web"],
      rest: words,
      flags: { input: true, color: true },
    });
    expect(readCommand("ssh", "web").rest).toBeUndefined();
    expect(readCommand("ssh", "web", "--").rest).toEqual([]);
  });

  test("takes words behind -- for operands where those may begin with a dash", () => {
    expect(readCommand("dyn", "dump-row", "-o", "-", "--", "users", "-o")).toMatchObject({
      operands: ["users", "-o"],
      options: { output: "-" },
      rest: undefined,
    });
  });

  test("has global flags before and behind the command", () => {
    expect(readCommand("--env", "dev", "hosts", "--json", "-v", "--no-color").flags).toEqual({
      env: "dev",
      json: true,
      verbose: true,
      input: true,
      color: false,
    });
  });

  test("never throws, whatever is typed", () => {
    // The help of a noun without its verb.
    const writes = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, "write").mockReturnValue(true),
    );
    const known = commands.flatMap(({ name }) => name.split(" "));
    const word = fc.oneof(
      fc.constantFrom(...known, "--", "-q", "--env", "--json", "--yes", "--db", "--config="),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const line = readCommandLine(words, "0", () => true);
        if (line.kind === "refused") expect(line.message).not.toBe("");
      }),
      {
        numRuns: 100,
        examples: [[["constructor"]], [["__proto__", "x"]], [["tunnel", "toString"]]],
      },
    );
    for (const write of writes) write.mockRestore();
  });
});

describe("a mistake", () => {
  test.each<[string[], string, string]>([
    [["nosuch"], "unknown command 'nosuch'", ""],
    [["hosts", "--nosuch"], "unknown option '--nosuch'", "hosts"],
    [["tunnel", "open"], "missing required argument 'name'", "tunnel open"],
    [["--bogus"], "unknown option '--bogus'", ""],
    [["redis", "nosuch"], "unknown command 'nosuch'", "redis"],
    [["li", "--nosuch"], "unknown option '--nosuch'", "hosts"],
    [["uu", "--nosuch"], "unknown option '--nosuch'", "fleet upgrade"],
    [["dbConsistency", "--nosuch"], "unknown option '--nosuch'", "db check"],
    [
      ["history", "x"],
      "too many arguments for 'history'. Expected 0 arguments but got 1",
      "history",
    ],
    [["hosts", "--yes"], "unknown option '--yes'", "hosts"],
    [["health", "--dry-run"], "unknown option '--dry-run'", "health"],
  ])("%j is told with its help", (words, message, topic) => {
    expect(readRefusal(...words)).toMatchObject({ message, topic });
  });

  test("proposes the word that was meant, on one line", () => {
    expect(readRefusal("hots").message).toBe("unknown command 'hots' (Did you mean hosts?)");
  });

  test.each<[string[], boolean]>([
    [["ssh"], true],
    [["mysql", "--nosuch"], true],
    [["hosts", "--nosuch"], false],
    [["nosuch"], false],
    // `tunnel list` has no child.
    [["tunnel", "open"], false],
  ])("%j of a command that returns its child's code: %s", (words, returnsChildCode) => {
    expect(readRefusal(...words).returnsChildCode).toBe(returnsChildCode);
  });
});

describe("a command line that is wrong ends with 2 and says nothing on stdout", () => {
  test.each<[string, string[], RegExp]>([
    ["an unknown command", ["nosuch"], /unknown command 'nosuch'; see lcops help\n$/],
    ["an unknown flag", ["hosts", "--nosuch"], /unknown option .--nosuch.; see lcops help hosts/],
    [
      "a missing operand",
      ["tunnel", "open"],
      /missing required argument .name.; see lcops help tunnel open/,
    ],
    ["a flag alone that is not known", ["--bogus"], /lcops/],
    ["an empty --config", ["hosts", "--config="], /--config needs the path of a file/],
    ["words behind -- that nobody takes", ["hosts", "--", "x"], /takes nothing behind --/],
  ])("%s", async (_what, words, said) => {
    const result = await runInProcess(words);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(said);
  });

  test.each([
    ["without a host", ["ssh"]],
    ["with nothing behind --", ["ssh", "GraphStats", "--"]],
  ])("but ssh %s ends with 255, as its own code would be the child's", async (_what, words) => {
    expect(await runInProcess(words)).toMatchObject({ code: 255, stdout: "" });
  });
});
