import { describe, expect, test } from "vitest";
import {
  type CheckReport,
  draftReport,
  judgeReports,
  notConfigured,
  skippedWhole,
} from "../../src/consistency/report.ts";

const well = draftReport("replica", "a and b");
well.look("rows", 3);
const partly = draftReport("replica", "a and b");
partly.look("rows", 3);
partly.skip("a.t", "it has no key");
const bad = draftReport("references", "a");
bad.find({ object: "a.t", key: "id=1", kind: "orphan", detail: "" });
const found = bad.end();
const bear = (isExpired: boolean): CheckReport => ({
  ...found,
  findings: found.findings.map((finding) => ({
    ...finding,
    known: { until: "2999-12-31", owner: "me", reason: "a test", isExpired },
  })),
});
const absent = notConfigured("search", "a");

describe("the exit code", () => {
  test.each<[string, CheckReport[], number]>([
    ["all that is configured was looked at, and is well", [well.end(), absent], 0],
    ["a table was left out", [well.end(), partly.end()], 3],
    ["a check could not be done", [well.end(), skippedWhole("items", "a", "no")], 3],
    ["nothing was looked at", [absent, skippedWhole("items", "a", "no")], 1],
    ["a finding", [well.end(), partly.end(), found], 4],
    ["a finding that is known", [bear(false)], 0],
    ["a finding that was known", [bear(true)], 4],
    ["more findings than are listed", [{ ...well.end(), more: 1 }], 4],
  ])("%s", (_, reports, code) => {
    expect(judgeReports(reports)).toBe(code);
  });
});

test("a check that saw nothing is not one that was done", () => {
  const draft = draftReport("replica", "a and b");
  draft.look("rows", 0);
  expect(draft.end()).toMatchObject({
    state: "skipped",
    skipped: [{ object: "a and b", why: "there is nothing to be looked at" }],
  });
});

test("what differs from two others is two findings", () => {
  const draft = draftReport("schema", "a");
  const finding = { object: "index a.t.i", kind: "missing", detail: "" };
  draft.find({ ...finding, against: "b" });
  draft.find({ ...finding, against: "c" });
  expect(draft.end().findings.map(({ id }) => id)).toEqual([
    "schema index a.t.i missing against b",
    "schema index a.t.i missing against c",
  ]);
});
