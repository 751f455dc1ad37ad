import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takeKernelLock } from "../../src/system/kernel-lock.ts";
import { startProgram } from "../support/run-lcops.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "lcops-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("one at a time holds a lock, and the next one gets it back", async () => {
  const file = path.join(folder, "one");
  const release = await takeKernelLock(file);
  expect(release).toBeDefined();
  expect(await takeKernelLock(file)).toBeUndefined();
  // Another name is another lock, however long.
  const other = await takeKernelLock(`${file}${"-".repeat(500)}`);
  expect(other).toBeDefined();
  await other?.();
  await release?.();
  const again = await takeKernelLock(file);
  expect(again).toBeDefined();
  await again?.();
});

test("kill -9 gives a lock back", async () => {
  const file = path.join(folder, "killed");
  const source = path.join(import.meta.dirname, "../../src/system/kernel-lock.ts");
  const script = `import { takeKernelLock } from ${JSON.stringify(source)};
    console.log((await takeKernelLock(${JSON.stringify(file)})) ? "held" : "refused");
    setInterval(() => {}, 1000);`;
  const holder = startProgram(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    { environment: process.env },
  );
  await holder.waitFor(/held/);
  expect(await takeKernelLock(file)).toBeUndefined();
  holder.send("SIGKILL");
  await holder.ended;
  const release = await takeKernelLock(file);
  expect(release).toBeDefined();
  await release?.();
});
