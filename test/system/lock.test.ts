import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdLock } from "../../src/system/lock.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lcops-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

test("is held by one, until it is let go", async () => {
  const release = await holdLock(at("one"), "the dump");
  await expect(holdLock(at("one"), "the dump")).rejects.toMatchObject({
    kind: "locked",
    message: `the dump is held by process ${process.pid}`,
  });
  await release();
  await (
    await holdLock(at("one"), "the dump")
  )();
  expect(await readdir(folder)).toEqual([]);
});

test("is held by one of many that want it at once", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => holdLock(at("many"), "it")),
  );
  const held = results.filter(({ status }) => status === "fulfilled");
  expect(held.length).toBe(1);
  await rm(at("many"));
});

/** 4194304 is past the highest pid of Linux. */
test.each([
  ["of a process that is gone", "4194304 123\n"],
  ["of an earlier process with the same number", `${process.pid} 1\n`],
  ["that its holder did not live to write", ""],
  ["that is none of ours", "?\n"],
])("%s is taken over", async (_what, content) => {
  await writeFile(at("left"), content);
  const release = await holdLock(at("left"), "it");
  expect(await readFile(at("left"), "utf8")).toMatch(new RegExp(`^${process.pid} \\d+\n$`));
  await release();
  expect(await readdir(folder)).toEqual([]);
});

test("in a folder that is not there says what to do", async () => {
  await expect(holdLock(at("nowhere/lock"), "it")).rejects.toMatchObject({
    kind: "failed",
    next: "name a folder that is there and can be written",
  });
});
