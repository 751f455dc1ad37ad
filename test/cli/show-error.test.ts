import { describe, expect, test } from "vitest";
import { StopSignal } from "../../src/cli/exit-code-of.ts";
import { showError } from "../../src/cli/show-error.ts";
import { OperatorError } from "../../src/system/errors.ts";
import { PIPED } from "../support/fake-context.ts";
import { makeFakeTerminal, type Setting } from "../terminal/fake-streams.ts";

function show(error: unknown, flags: Setting["flags"] = {}): { stdout: string; stderr: string } {
  const { terminal, out, err } = makeFakeTerminal({ ...PIPED, flags });
  showError(error, terminal);
  return { stdout: out(), stderr: err() };
}

const REFUSED = new OperatorError("refused", "port \u001b[2J80 is held", {
  next: "end \u0007it",
  details: ["one\u001b", "two"],
});

describe("showError", () => {
  test("tells an error and its next step in one printable line, with --quiet too", () => {
    expect(show(REFUSED, { quiet: true })).toEqual({
      stdout: "",
      stderr: "lcops: port \\x1b[2J80 is held; end \\x07it\n  one\\x1b\n  two\n",
    });
    expect(show(new OperatorError("failed", "it is so")).stderr).toBe("lcops: it is so\n");
  });

  test("prints one document with --json, and the line for people as well", () => {
    const { stdout, stderr } = show(REFUSED, { json: true });
    expect(JSON.parse(stdout)).toEqual({
      error: {
        kind: "refused",
        message: "port \\x1b[2J80 is held",
        next: "end \u0007it",
        details: ["one\u001b", "two"],
      },
    });
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toMatch(/^lcops: port /);
    const plain = show(new OperatorError("failed", "x"), { json: true }).stdout;
    expect(JSON.parse(plain)).toEqual({
      error: { kind: "failed", message: "x", next: null, details: [] },
    });
  });

  test("calls anything else a fault, and shows its stack with -v only", () => {
    const fault = new TypeError("x is undefined");
    const line =
      "lcops: x is undefined; this is a fault of lcops; run it again with -v and report what it prints\n";
    expect(show(fault).stderr).toBe(line);
    const { stderr } = show(fault, { verbose: true });
    expect(stderr.startsWith(`${line}TypeError: x is undefined\n`)).toBe(true);
    expect(stderr).toContain("show-error.test.ts");
    expect(JSON.parse(show("thrown", { json: true }).stdout)).toMatchObject({
      error: { kind: "fault", message: "thrown", details: [] },
    });
  });

  test.each([new StopSignal("SIGINT"), new OperatorError("cancelled", "left")])(
    "says nothing of what the operator did: %s",
    (error) => {
      expect(show(error, { json: true, verbose: true })).toEqual({ stdout: "", stderr: "" });
    },
  );
});
