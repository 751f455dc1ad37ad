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
  test.each(KINDS)("of an error of the kind %s is %i", (kind, code) => {
    expect(exitCodeOf(new OperatorError(kind, "x"))).toBe(code);
  });

  test("of signals and faults", () => {
    const codes = [new StopSignal("SIGINT"), new StopSignal("SIGTERM"), new Error("x"), "x"];
    expect(codes.map(exitCodeOf)).toEqual([130, 143, 1, 1]);
  });

  test.each(KINDS)("of a command without a child is that of the kind %s", (kind, code) => {
    expect(exitCodeOfCommand(new OperatorError(kind, "x"), false)).toBe(code);
  });

  test.each(KINDS)("of a command that failed before its child is 255 for %s", (kind) => {
    const code = exitCodeOfCommand(new OperatorError(kind, "x"), true);
    expect(code).toBe(kind === "cancelled" ? 130 : 255);
  });

  test("of a fault before the child is 255, too", () => {
    expect(exitCodeOfCommand(new Error("x"), true)).toBe(255);
    expect(exitCodeOfCommand(new Error("x"), false)).toBe(1);
  });
});
