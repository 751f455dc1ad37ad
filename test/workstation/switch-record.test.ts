import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forgetSwitch, readSwitch, writeSwitch } from "../../src/workstation/switch-record.ts";

let state: string;
beforeAll(() => {
  state = mkdtempSync(path.join(os.tmpdir(), "lcops-switch-"));
});
afterAll(() => rmSync(state, { recursive: true, force: true }));

test("keeps what is to be put back until it is forgotten", async () => {
  expect(await readSwitch(state, "log")).toBeUndefined();
  const record = { before: { general_log: "0" }, until: "2026-01-01T00:00:00.000Z", session: 7 };
  await writeSwitch(state, "log", record);
  expect(await readSwitch(state, "log")).toEqual(record);
  expect(await readSwitch(state, "other")).toBeUndefined();
  await forgetSwitch(state, "log");
  expect(await readSwitch(state, "log")).toBeUndefined();
  await forgetSwitch(state, "log");
});

test("names a record that cannot be read, and leaves it", async () => {
  await writeSwitch(state, "torn", { before: {} });
  const file = path.join(state, "machine/torn.json");
  writeFileSync(file, "{");
  await expect(readSwitch(state, "torn")).rejects.toMatchObject({
    kind: "failed",
    message: `${file} cannot be read`,
    next: expect.stringContaining("mend it or remove it") as string,
  });
});
