import { describe, expect, test } from "vitest";
import { describeWrite, planOrRefuse } from "../../../src/commands/dyn/write-through-gate.ts";
import type { AttributeValue, Item } from "../../../src/services/dynamodb/attribute-value.ts";
import type { RowWish } from "../../../src/services/dynamodb/plan-row.ts";
import { UnknownOutcome } from "../../../src/services/dynamodb/write-row.ts";
import { tellFailure } from "../../support/fake-context.ts";
import { makeTable } from "../../support/fake-table.ts";

const n = (value: string) => ({ type: "N", value }) as const;
const row = (hits?: string): Item =>
  new Map<string, AttributeValue>([
    ["id", { type: "S", value: "a" }],
    ...(hits === undefined ? [] : [["hits", n(hits)] as const]),
  ]);
const key: Item = new Map([["id", { type: "S", value: "a" }]]);
const EDIT: RowWish = {
  kind: "changes",
  changes: [{ path: ["hits"], before: n("5"), after: n("6") }],
};
const task = (wish: RowWish) => ({ key, wish, verb: "write a row of" });
const open = {
  table: makeTable(),
  account: "111111111111",
  isProduction: false,
  scope: {
    region: "us-west-2",
    environments: ["dev"],
    hasOpsWorks: false,
    hasElasticIps: false,
  },
};

function planWrite(wish: RowWish, now: Item | undefined) {
  const plan = planOrRefuse(open, task(wish), now);
  if (!plan) throw new Error("there is nothing to write");
  return plan;
}

describe("the plan of a write", () => {
  test("says where, what changes, how large the row is, and what undoes it", () => {
    const plan = describeWrite(open, task(EDIT), planWrite(EDIT, row("5")), row("5"));
    expect(plan).toEqual({
      title: "write a row of users: a",
      lines: ["account 111111111111, us-west-2", "hits: N 5 → N 6", "0.0 KB of 400, 1 write unit"],
      target: "users",
      danger: "writes",
      isProduction: false,
      undo: "lcops dyn undo",
    });
  });

  test("warns where the whole row is replaced, and where other regions have it", () => {
    const wish: RowWish = { kind: "whole", before: row("5"), after: row("6") };
    const guarded = {
      ...open,
      isProduction: true,
      table: makeTable({ replicas: ["eu-west-1", "us-east-1"] }),
    };
    const { lines, isProduction } = describeWrite(
      guarded,
      task(wish),
      planWrite(wish, row("5")),
      row("5"),
    );
    expect(isProduction).toBe(true);
    expect(lines[0]).toBe("account 111111111111, us-west-2, production");
    expect(lines.slice(-2)).toEqual([
      "the whole row: an attribute that another writer adds meanwhile is lost",
      "a global table: in eu-west-1, us-east-1 the last writer wins",
    ]);
  });

  test("counts the units of the larger row, before or after", () => {
    const large: Item = new Map([...row(), ["text", { type: "S", value: "x".repeat(3_000) }]]);
    const wish: RowWish = { kind: "whole", before: large, after: row("6") };
    const { lines } = describeWrite(open, task(wish), planWrite(wish, large), large);
    expect(lines).toContain("0.0 KB of 400, 3 write units");
  });
});

describe("a wish", () => {
  test("that is so already leaves nothing to do", () => {
    expect(planOrRefuse(open, task(EDIT), row("6"))).toBeUndefined();
  });

  const CREATE: RowWish = { kind: "whole", after: row("6") };
  test.each<[string, RowWish, Item | undefined, string]>([
    [
      "of what another writer changed",
      EDIT,
      row("7"),
      "users: a was changed by another writer meanwhile, and nothing was written",
    ],
    [
      "of a row that is gone",
      EDIT,
      undefined,
      "users: a is not there any more, and nothing was written",
    ],
    [
      "of a new row that is there",
      CREATE,
      row("5"),
      "users: a is there already, and nothing was written",
    ],
  ])("%s is refused with what it was, is, and was to be", async (_what, wish, now, said) => {
    const { code, stdout, stderr } = await tellFailure(() => planOrRefuse(open, task(wish), now));
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    const [first, ...details] = stderr.split("\n");
    expect(first).toBe(`lcops: ${said}; dump it again and repeat the edit on what it is now`);
    expect(details.join("\n")).toMatch(/hits\n {4}was {3}.*\n {4}is {4}.*\n {4}yours N 6\n/);
  });

  test("that may have landed before is not said to be undone", () => {
    const refuse = (): unknown => planOrRefuse(open, task(EDIT), row("7"), true);
    expect(refuse).toThrow(UnknownOutcome);
    expect(refuse).toThrow(/; whether yours was written before is not known$/);
  });
});
