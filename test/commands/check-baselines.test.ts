import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkBaselines } from "../../src/commands/check-baselines.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Finding } from "../../src/system/finding.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lcops-baselines-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the findings of the doctor for a baseline of this text, at the end of 2026. */
async function check(text: string): Promise<Finding | undefined> {
  const baseline = path.join(folder, "baseline.json");
  writeFileSync(baseline, text);
  const config: Config = {
    consistency: { school: { service: "school", baseline }, other: { service: "other" } },
  };
  const findings = await checkBaselines(config, new Date("2026-12-31T12:00:00Z"));
  // A check without a baseline is no finding.
  expect(findings).toHaveLength(1);
  return findings[0];
}
const known = (id: string, until: string) => ({ id, owner: "anna", reason: "old rows", until });
const about = { area: "consistency", name: "school" };

test("a baseline of which everything is still borne is well, on its last day too", async () => {
  const all = [known("a", "2026-12-31"), known("b", "2027-01-31")];
  expect(await check(JSON.stringify({ known: all }))).toEqual({
    ...about,
    state: "ok",
    detail: "2 known findings are borne",
  });
});

test("a baseline of which a day is over warns, with who bears it", async () => {
  const all = [known("a", "2026-12-30"), known("b", "2027-01-31")];
  expect(await check(JSON.stringify({ known: all }))).toEqual({
    ...about,
    state: "warn",
    detail: "1 of 2 known findings are borne no longer: a (anna, until 2026-12-30)",
    next: `mend them, or give them another day in ${folder}/baseline.json`,
  });
});

test.each(["{", "[]", '{"known": [{"id": "a"}]}'])("a baseline that is %s fails", async (text) => {
  expect(await check(text)).toMatchObject({
    ...about,
    state: "fail",
    detail: expect.stringMatching(/^the baseline \S+: \S/) as string,
  });
});

test("without checks there is nothing to find", async () => {
  expect(await checkBaselines({}, new Date())).toEqual([]);
});
