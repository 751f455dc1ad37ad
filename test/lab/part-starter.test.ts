import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeStarter } from "./part-starter.ts";

let said: string[];
let lab: { log: (line: string) => void; logFiles: string[] };
beforeEach(() => {
  said = [];
  lab = { log: (line) => void said.push(line), logFiles: [] };
});
afterEach(() => {
  vi.useRealTimers();
});

test("a part starts when it is first asked for, and once", async () => {
  const begun: string[] = [];
  const start = makeStarter(lab)("redis", async () => begun.push("redis"));
  expect(begun).toEqual([]);
  expect(await Promise.all([start(), start()])).toEqual([1, 1]);
  expect(await start()).toBe(1);
  expect(begun).toEqual(["redis"]);
});

test("every ten seconds the lab says which parts it waits for, and since when", async () => {
  vi.useFakeTimers();
  const startOnce = makeStarter(lab);
  const never = new Promise<void>(() => {});
  let isUp = (): void => undefined;
  const slow = new Promise<void>((resolve) => (isUp = resolve));
  void startOnce("mysql", () => never)();
  await vi.advanceTimersByTimeAsync(4_000);
  const graphite = startOnce("graphite", () => slow)();
  await vi.advanceTimersByTimeAsync(5_999);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(said).toEqual(["lab: waiting for mysql (10 s), graphite (6 s)"]);
  isUp();
  await graphite;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said.slice(1)).toEqual(["lab: waiting for mysql (20 s)"]);
});

test("nothing more is said once nothing is waited for", async () => {
  vi.useFakeTimers();
  await makeStarter(lab)("redis", () => Promise.resolve())();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a part that fails is named, with the end of the logs of its servers alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lcops-starter-"));
  try {
    const [mine, others] = [join(folder, "primary.log"), join(folder, "redis.log")];
    const lines = Array.from({ length: 40 }, (_unused, index) => `line ${index}`);
    writeFileSync(mine, `${lines.join("\n")}\nno space left on device\n`);
    writeFileSync(others, "ready to accept connections\n");
    const startOnce = makeStarter(lab);
    await startOnce("redis", async ({ logFiles }) => void logFiles.push(others))();
    const failing = startOnce("mysql", async ({ logFiles }) => {
      logFiles.push(mine);
      throw new Error("primary: it ended with 1");
    });
    await expect(failing()).rejects.toThrow(
      /^lab: mysql did not start: primary: it ended with 1\n/,
    );
    const { message } = (await failing().catch((error: unknown) => error)) as Error;
    expect(message).toContain(`end of ${mine}:\n  line 26\n`);
    expect(message).toMatch(/ {2}no space left on device$/);
    expect(message).not.toContain("accept connections");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
