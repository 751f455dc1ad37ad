import { describe, expect, test } from "vitest";
import { decideGate, makeGate } from "../../src/cli/make-gate.ts";
import type { ChangePlan, GuardFlags } from "../../src/system/gate.ts";
import type { Prompts } from "../../src/terminal/prompts.ts";
import { makeFakeTerminal, type Setting } from "../terminal/fake-streams.ts";

const NONE: GuardFlags = { dryRun: false, yes: false };
const PLAN: ChangePlan = {
  title: "flush the cache",
  lines: ["16 \u001b[31mkeys"],
  target: "RedisCache",
  danger: "destroys",
  isProduction: true,
};
const elsewhere = { ...PLAN, isProduction: false };
const write = { ...PLAN, danger: "writes" as const };

describe("what the gate decides", () => {
  test.each<[string, ChangePlan, Partial<GuardFlags>, boolean, string]>([
    ["a dry run, whatever else is said", PLAN, { dryRun: true, confirm: "x" }, false, "dry-run"],
    ["the target's name", PLAN, { confirm: "RedisCache" }, false, "go"],
    ["the target's name outside production", elsewhere, { confirm: "RedisCache" }, false, "go"],
    ["--yes outside production", elsewhere, { yes: true }, false, "go"],
    ["--yes in production, on a terminal", PLAN, { yes: true }, true, "ask name"],
    ["what destroys in production", PLAN, {}, true, "ask name"],
    ["what writes in production", write, {}, true, "ask"],
    ["what destroys elsewhere", elsewhere, {}, true, "ask"],
  ])("%s", (_what, plan, flags, canAsk, decision) => {
    expect(decideGate(plan, { ...NONE, ...flags }, canAsk)).toBe(decision);
  });

  test.each<[string, ChangePlan, Partial<GuardFlags>, boolean, RegExp]>([
    ["another name", PLAN, { confirm: "Redis" }, true, /correct the one or the other/],
    ["another name outside production", elsewhere, { confirm: "x" }, true, /correct/],
    ["--yes alone in production", PLAN, { yes: true }, false, /--confirm RedisCache/],
    ["--yes alone for a write in production", write, { yes: true }, false, /--confirm RedisCache/],
    ["nothing in production", PLAN, {}, false, /--confirm RedisCache/],
    ["nothing elsewhere", elsewhere, {}, false, /--yes/],
  ])("%s is refused, with what it needs", (_what, plan, flags, canAsk, next) => {
    expect(() => decideGate(plan, { ...NONE, ...flags }, canAsk)).toThrow(
      expect.objectContaining({ kind: "refused", next: expect.stringMatching(next) as string }),
    );
  });
});

/** Answers of the operator; one that is asked for without being there fails. */
function pass(
  plan: ChangePlan,
  flags: Partial<GuardFlags>,
  answers: { confirm?: boolean; input?: string } = {},
  setting: Setting = {},
) {
  const { terminal, out, err } = makeFakeTerminal(setting);
  const answer = <T>(given: T | undefined) => {
    if (given === undefined) throw new Error("nobody was to be asked that");
    return Promise.resolve(given);
  };
  const prompts = {
    confirm: () => answer(answers.confirm),
    input: () => answer(answers.input),
  } as unknown as Prompts;
  const gate = makeGate({ ...NONE, ...flags }, terminal, () => Promise.resolve(prompts));
  return { passed: gate(plan), out, err };
}

describe("the gate", () => {
  test("prints the plan of a dry run as the result, printable, and says what cannot be undone", async () => {
    const { passed, out, err } = pass(PLAN, { dryRun: true });
    expect(await passed).toBe(false);
    expect(out()).toBe("flush the cache\n  16 \\x1b[31mkeys\nnothing can undo this\n");
    expect(err()).toBe("");
  });

  test("prints it as one document with --json", async () => {
    const json = { flags: { json: true } };
    const { passed, out } = pass({ ...PLAN, undo: "lcops x" }, { dryRun: true }, {}, json);
    expect(await passed).toBe(false);
    expect(JSON.parse(out())).toEqual({ dryRun: true, ...PLAN, undo: "lcops x" });
  });

  test("shows the plan before it asks, with --quiet too", async () => {
    const { passed, err } = pass(elsewhere, {}, { confirm: true }, { flags: { quiet: true } });
    expect(await passed).toBe(true);
    expect(err()).toContain("flush the cache\n  16");
  });

  test.each([
    ["no", elsewhere, { confirm: false }],
    ["another name", PLAN, { input: "rediscache" }],
    ["no name", PLAN, { input: "" }],
  ])("refuses after %s", async (_what, plan, answers) => {
    await expect(pass(plan, {}, answers).passed).rejects.toMatchObject({ kind: "refused" });
  });

  test("opens for the name that was typed", async () => {
    expect(await pass(PLAN, {}, { input: "RedisCache" }).passed).toBe(true);
  });

  test("says nothing in cron when it is confirmed", async () => {
    const piped = { stdin: false, stdout: false, stderr: false };
    const { passed, out, err } = pass(PLAN, { confirm: "RedisCache" }, {}, piped);
    expect(await passed).toBe(true);
    expect(out() + err()).toBe("");
  });
});
