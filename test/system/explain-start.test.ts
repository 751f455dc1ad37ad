import { expect, test } from "vitest";
import { exitCodeOf, explainStart } from "../../src/system/explain-start.ts";

test("a program that is not there is missing, any other trouble with its start has failed", () => {
  const none = Object.assign(new Error("spawn nosuch ENOENT"), { code: "ENOENT" });
  expect(explainStart("nosuch", none)).toMatchObject({
    kind: "missing",
    message: "the program nosuch is not installed",
    next: "install it, or see lcops doctor",
  });
  const denied = Object.assign(new Error("spawn mine EACCES"), { code: "EACCES" });
  expect(explainStart("mine", denied)).toMatchObject({
    kind: "failed",
    message: "cannot start mine: spawn mine EACCES",
    cause: denied,
  });
});

test("an exit code is that of the program, or 128 and the number of its signal", () => {
  expect([exitCodeOf(3, null), exitCodeOf(null, "SIGTERM"), exitCodeOf(null, null)]).toEqual([
    3, 143, 1,
  ]);
});
