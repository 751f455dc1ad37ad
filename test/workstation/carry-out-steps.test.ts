import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { OperatorError } from "../../src/system/errors.ts";
import { carryOutSteps } from "../../src/workstation/carry-out-steps.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
let log: string;
beforeAll(() => {
  programs = makePrograms();
  log = path.join(programs.folder, "log");
  programs.write("say", `echo "$1" >> ${log}`);
  programs.write("fail", `echo "$1" >> ${log}; echo "one\ntwo\nlast" >&2; exit 7`);
});
beforeEach(() => rmSync(log, { force: true }));
afterAll(() => programs.remove());

const done = (): string[] => readFileSync(log, "utf8").trim().split("\n");
const carryOut = (
  steps: string[][],
  more: Omit<Parameters<typeof carryOutSteps>[1], "environment"> = {},
) => carryOutSteps(steps, { environment: programs.environment, ...more });

test("does one step after the other, and looks at the end", async () => {
  let hasLooked = false;
  const check = async () => void (hasLooked = done().length === 2);
  await carryOut(
    [
      ["say", "a"],
      ["say", "b"],
    ],
    { check },
  );
  expect(done()).toEqual(["a", "b"]);
  expect(hasLooked).toBe(true);
});

test("says how a step has failed, and does no other", async () => {
  const failing = carryOut([
    ["fail", "a"],
    ["say", "b"],
  ]);
  await expect(failing).rejects.toMatchObject({
    kind: "failed",
    message: "fail a ended with 7: last",
    details: ["one", "two"],
  });
  expect(done()).toEqual(["a"]);
});

test("takes back what was begun", async () => {
  const rollback = (begun: number) => ["A", "B", "C"].slice(0, begun).map((name) => ["say", name]);
  await expect(
    carryOut(
      [
        ["say", "a"],
        ["fail", "b"],
        ["say", "c"],
      ],
      { rollback },
    ),
  ).rejects.toThrow("fail b ended with 7: last; it was taken back");
  expect(done()).toEqual(["a", "b", "A", "B"]);
});

test("takes all of it back when what it has done is not so", async () => {
  const check = () => Promise.reject(new OperatorError("failed", "it has not loaded it"));
  const rollback = (begun: number) => [["say", `back ${begun}`]];
  await expect(
    carryOut(
      [
        ["say", "a"],
        ["say", "b"],
      ],
      { rollback, check },
    ),
  ).rejects.toThrow("it has not loaded it; it was taken back");
  expect(done().at(-1)).toBe("back 2");
});

test("goes on taking back where one step of that fails too, and says so", async () => {
  const rollback = () => [
    ["fail", "A"],
    ["say", "B"],
  ];
  await expect(carryOut([["fail", "a"]], { rollback })).rejects.toMatchObject({
    message: "fail a ended with 7: last; taking it back failed too: fail A ended with 7: last",
    next: "look at lcops machine status",
  });
  expect(done()).toEqual(["a", "A", "B"]);
});
