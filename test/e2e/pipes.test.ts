import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/commands/index.ts";
import { makeGround, testWith, type Ground } from "../support/ground.ts";
import { openPty } from "../support/pty.ts";
import { LCOPS, runLcops, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const lcops = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<LcopsResult> =>
  runLcops(args, { environment: { ...ground.environment, ...more } });

/** For each command, a command line that works where nobody can be asked. */
const UNATTENDED: Record<string, string[]> = {
  menu: ["menu", "li"],
  hosts: ["hosts"],
  ssh: ["ssh", "GraphStats", "--", "true"],
  "tunnel open": ["tunnel", "open", "kibana", "--", "true"],
  "tunnel list": ["tunnel", "list"],
  "tunnel logs": ["tunnel", "logs", "kibana"],
  "tunnel retry": ["tunnel", "retry"],
  "tunnel close": ["tunnel", "close", "--all"],
  mysql: ["mysql", "--", "-e", "select 42"],
  "config init": ["config", "init", "--yes", "--dry-run"],
  "config check": ["config", "check"],
  "config show": ["config", "show"],
  "config schema": ["config", "schema"],
  doctor: ["doctor"],
  history: ["history"],
  completion: ["completion", "bash"],
  help: ["help"],
};
/** What `--json` means nothing to: a child's own output, and text for a shell or a reader. */
const NOT_JSON = new Set(["ssh", "tunnel open", "mysql", "completion", "help"]);

describe.each(commands.map((command) => [command.name, command] as const))(
  "%s",
  (name, command) => {
    const line = UNATTENDED[name] ?? [];

    testWith("hosts", "mysql")("works unattended, without a single escape code", async () => {
      expect(line).not.toEqual([]);
      const result = await lcops(line);
      expect(result).toMatchObject({ code: 0 });
      expect(result.stdout + result.stderr).not.toContain("\u001b");
    });

    if (command.unattended !== undefined) {
      test("names what it misses when nobody can be asked", async () => {
        const result = await lcops(name.split(" "), { LCOPS_CONFIG: missingFor(name) });
        expect([2, 5]).toContain(result.code);
        expect(result.stdout).toBe("");
        expect(result.stderr).toMatch(/^lcops: .*terminal.*; .*(KEY|--yes).*\n$/m);
      });
    }

    if (!NOT_JSON.has(name)) {
      testWith("hosts")("prints one document with --json", async () => {
        const { code, stdout } = await lcops([...line, "--json"]);
        expect(code).toBe(0);
        expect(typeof JSON.parse(stdout)).toBe("object");
      });
    }
  },
);

function missingFor(name: string): string {
  return name === "config init" ? `${ground.folder}/none.json` : ground.configPath;
}

describe("--json", () => {
  test("gives errors as a document too", async () => {
    const { code, stdout } = await lcops(["hosts", "NOSUCH", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { kind: "usage", message: "no host matches NOSUCH" },
    });
  });

  test("prints the exit codes as a document", async () => {
    const { stdout } = await lcops(["help", "exit-codes", "--json"]);
    expect(JSON.parse(stdout)).toContainEqual({ code: "6", meaning: "another run holds the lock" });
  });
});

describe("a reader that closes early", () => {
  const read = (line: string, ...args: string[]): { out: string; error: string } => {
    const script = `"$@" | ${line}; echo "code \${PIPESTATUS[0]}"`;
    const words = ["-c", script, "bash", process.execPath, LCOPS, ...args];
    const result = spawnSync("bash", words, {
      env: ground.environment,
      encoding: "utf8",
      timeout: 15_000,
    });
    return { out: result.stdout, error: result.stderr };
  };

  test("has its first line of the hosts, and lcops ends quietly", () => {
    expect(read("head -1", "hosts")).toEqual({
      out: expect.stringMatching(/^GraphStats\t.*\ncode 0\n$/),
      error: "",
    });
  });

  test("may be gone before anything was written", () => {
    expect(read("true", "hosts")).toEqual({ out: "code 0\n", error: "" });
    expect(read("exec 0<&-", "config", "schema")).toEqual({ out: "code 0\n", error: "" });
  });
});

describe("colour", () => {
  const isPainted = (text: string): boolean =>
    text.split("\u001b[").some((part, index) => index > 0 && /^[\d;]*m/.test(part));

  test("is on a terminal, and not with NO_COLOR", async () => {
    for (const [more, wanted] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      const pty = openPty([], { environment: { ...ground.environment, ...more } });
      // eslint-disable-next-line no-await-in-loop -- the first proves that the second can fail
      await pty.waitFor(/\n>>>$/);
      pty.press("ctrl-c");
      // eslint-disable-next-line no-await-in-loop
      expect((await pty.exit).code).toBe(0);
      expect(isPainted(pty.raw())).toBe(wanted);
    }
  });

  test("is in a pipe with FORCE_COLOR, unless --no-color says otherwise", async () => {
    const broken = ["hosts", "NOSUCH"];
    expect(isPainted((await lcops(broken, { FORCE_COLOR: "1" })).stderr)).toBe(true);
    const plain = await lcops([...broken, "--no-color"], { FORCE_COLOR: "1" });
    expect(isPainted(plain.stderr)).toBe(false);
  });
});

test("lcops alone prints the help in a pipe", async () => {
  const { code, stdout, stderr } = await lcops([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: lcops /);
  for (const { name } of commands) expect(stdout).toContain(`\n  ${name.split(" ")[0]}`);
});
