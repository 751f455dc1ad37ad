import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { hasLoaded, readPidFile, readStartTime } from "../../src/workstation/read-process.ts";

/** No process has a number that high. */
const NONE = 2 ** 30;

test("says when a process was started", async () => {
  const startedAt = await readStartTime(process.pid);
  // To a hundredth of a second, both clocks a little apart.
  expect(Math.abs((startedAt ?? 0) - (Date.now() - process.uptime() * 1_000))).toBeLessThan(2_000);
  expect(await readStartTime(NONE)).toBeUndefined();
});

test("says whether a process has a library loaded, by its whole name", async () => {
  const program = path.basename(process.execPath);
  expect(await hasLoaded(process.pid, program)).toBe(true);
  expect(await hasLoaded(process.pid, program.slice(1))).toBe(false);
  expect(await hasLoaded(NONE, program)).toBeUndefined();
});

test("reads the number of a process that runs", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-pid-"));
  const file = path.join(folder, "pid");
  const read = (text: string): Promise<number | undefined> => {
    writeFileSync(file, text);
    return readPidFile(file);
  };
  try {
    expect(await readPidFile(path.join(folder, "none"))).toBeUndefined();
    expect(await read(`${process.pid}\n`)).toBe(process.pid);
    for (const text of ["", "x", "-1", "0", `${NONE}`]) expect(await read(text)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
