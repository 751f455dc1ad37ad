import { expect, test } from "vitest";
import { describeLoad } from "../../../src/commands/dyn/run-load-table.ts";
import { makeTable } from "../../support/fake-table.ts";

const open = {
  table: makeTable(),
  account: "111111111111",
  isProduction: false,
  scope: { region: "us-west-2", environments: ["dev"], hasOpsWorks: false, hasElasticIps: false },
};

test("the plan of a load names the account, the file and the overwritten items", () => {
  const plan = describeLoad(open, { items: 400, path: "users.json", parts: 1 });
  expect(plan).toEqual({
    title: "load 400 items into users",
    lines: [
      "account 111111111111, us-west-2",
      "from users.json, all of it valid for the table",
      "items with the same keys are overwritten, others stay",
    ],
    target: "users",
    danger: "destroys",
    isProduction: false,
  });
  // The journal has no old items to put back.
  expect(plan.undo).toBeUndefined();
});

test("the plan of a load into production says so, and counts the parts of an export", () => {
  const guarded = { ...open, isProduction: true };
  const { lines, isProduction } = describeLoad(guarded, { items: 1, path: "export", parts: 3 });
  expect(isProduction).toBe(true);
  expect(lines[0]).toBe("account 111111111111, us-west-2, production");
  expect(lines[1]).toBe("from export, in 3 parts, all of it valid for the table");
});
