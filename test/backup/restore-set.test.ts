import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRestoreProgress } from "../../src/backup/restore-set.ts";
import type { PartRecord } from "../../src/services/set-content.ts";

const digest = { bytes: 1, sha256: "a".repeat(64) };
const PART: PartRecord = {
  path: "data/orders.0000.zst",
  object: "orders",
  role: "data",
  seq: 0,
  plain: digest,
  stored: digest,
  codec: ["zstd"],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lcops-progress-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (setId: string, into: string, only?: string): ReturnType<typeof openRestoreProgress> =>
  openRestoreProgress(folder, { setId, into, only });

test("a restore that was cut off goes on behind what stands, and begins anew once it was whole", async () => {
  await (await open("one", "live")).markDone(PART);
  const again = await open("one", "live");
  expect([again.resumed, again.isDone(PART)]).toEqual([1, true]);
  await again.finish();
  expect((await open("one", "live")).isDone(PART)).toBe(false);
});

test("it goes on beside another of the same set, and of another set elsewhere", async () => {
  await (await open("one", "live")).markDone(PART);
  await open("one", "live", "orders");
  await open("other", "rescue");
  expect((await open("one", "live")).isDone(PART)).toBe(true);
});

test("it begins anew where another set was restored over it meanwhile", async () => {
  await (await open("one", "live")).markDone(PART);
  await (await open("one", "live", "orders")).markDone(PART);
  await (await open("other", "live")).finish();
  expect((await open("one", "live")).isDone(PART)).toBe(false);
  expect((await open("one", "live", "orders")).isDone(PART)).toBe(false);
  await (await open("one", "live")).markDone(PART);
  await open("other", "live/shop");
  expect((await open("one", "live")).isDone(PART)).toBe(false);
  await (await open("one", "/srv/whisper")).markDone(PART);
  await open("one", "/srv/rescued");
  expect((await open("one", "/srv/whisper")).isDone(PART)).toBe(true);
  await open("other", "/srv/../srv/whisper");
  expect((await open("one", "/srv/whisper")).isDone(PART)).toBe(false);
});
