import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeRunFolder, runsFolder } from "../../src/workstation/run-folder.ts";

let state: string;
let runs: string;
beforeEach(() => {
  state = mkdtempSync(path.join(os.tmpdir(), "lcops-runs-"));
  runs = runsFolder(state, "ja");
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const NOW = new Date("2026-03-04T05:06:07.890Z");

test("is named after its second, and this user's alone", async () => {
  const folder = await makeRunFolder(runs, NOW);
  expect(folder).toBe(path.join(state, "machine/launches/ja/20260304T050607"));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("has a number where a second has several", async () => {
  const made = [];
  for (let at = 0; at < 3; at++) made.push(path.basename(await makeRunFolder(runs, NOW)));
  expect(made).toEqual(["20260304T050607", "20260304T050607-1", "20260304T050607-2"]);
});

test("replaces the oldest of five, and leaves what is no run", async () => {
  for (let day = 1; day <= 6; day++)
    mkdirSync(path.join(runs, `2020010${day}T000000`), { recursive: true });
  mkdirSync(path.join(runs, "notes"));
  await makeRunFolder(runs, NOW);
  expect(readdirSync(runs).sort()).toEqual([
    "20200103T000000",
    "20200104T000000",
    "20200105T000000",
    "20200106T000000",
    "20260304T050607",
    "notes",
  ]);
});

test("removes the secrets of a run whose lcops was killed", async () => {
  const secret = path.join(runs, "20200106T000000/plan.properties");
  mkdirSync(path.dirname(secret), { recursive: true });
  writeFileSync(secret, "key=secret");
  await makeRunFolder(runs, NOW);
  expect(existsSync(secret)).toBe(false);
  expect(existsSync(path.dirname(secret))).toBe(true);
});
