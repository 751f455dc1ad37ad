import { describe, expect, test } from "vitest";
import { exitCodeOf, exitCodeOfCommand, StopSignal } from "../../src/cli/exit-code-of.ts";
import { type ErrorKind, OperatorError } from "../../src/system/errors.ts";

const KINDS: [ErrorKind, number][] = [
  ["usage", 2],
  ["configuration", 2],
  ["missing", 1],
  ["access", 1],
  ["unreachable", 1],
  ["refused", 5],
  ["locked", 6],
  ["cancelled", 130],
  ["failed", 1],
];

describe("the exit code", () => {
  test.each(KINDS)("maps an error of kind %s to %i", (kind, code) => {
    expect(exitCodeOf(new OperatorError(kind, "x"))).toBe(code);
  });

  test("maps signals to 128 + n, and faults to 1", () => {
    const codes = [new StopSignal("SIGINT"), new StopSignal("SIGTERM"), new Error("x"), "x"];
    expect(codes.map(exitCodeOf)).toEqual([130, 143, 1, 1]);
  });

  test.each(KINDS)("maps a failed command without a child by its kind: %s to %i", (kind, code) => {
    expect(exitCodeOfCommand(new OperatorError(kind, "x"), false)).toBe(code);
  });

  test.each(KINDS)("is 255 for a command that fails before its child: %s", (kind) => {
    const code = exitCodeOfCommand(new OperatorError(kind, "x"), true);
    expect(code).toBe(kind === "cancelled" ? 130 : 255);
  });

  test("is 255 for a fault before the child", () => {
    expect(exitCodeOfCommand(new Error("x"), true)).toBe(255);
    expect(exitCodeOfCommand(new Error("x"), false)).toBe(1);
  });
});
