import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LAB_VARIABLE, recordLab, removeLeftovers } from "./leftovers.ts";
import { identify } from "./process-table.ts";
import { readJson, stateFolder, takeLock, writeJson } from "./state-folder.ts";

const usualTemporary = process.env["TMPDIR"];
let temporary = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  temporary = mkdtempSync(path.join(os.tmpdir(), "leftovers-test-"));
  process.env["TMPDIR"] = temporary;
});
afterEach(() => {
  if (usualTemporary === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = usualTemporary;
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(temporary, { recursive: true });
});

function startSleeper(environment: Record<string, string> = {}): ChildProcess & { pid: number } {
  const child = spawn("sleep", ["1000"], {
    env: { ...process.env, ...environment },
    stdio: "ignore",
  });
  children.push(child);
  return child as ChildProcess & { pid: number };
}

function leaveLab(record: { owner?: object; servers: object[] }): { folder: string; file: string } {
  const folder = path.join(temporary, "lcops-lab-abc123");
  mkdirSync(folder);
  const file = path.join(stateFolder(), "lcops-lab-abc123.json");
  writeJson(file, { owner: { pid: 1, startTime: "long ago" }, folder, ...record });
  return { folder, file };
}

test("a dead lab's servers, sessions, folder and record are removed", async () => {
  const server = startSleeper();
  const session = startSleeper({ [LAB_VARIABLE]: path.join(temporary, "lcops-lab-abc123") });
  await Promise.all([once(server, "spawn"), once(session, "spawn")]);
  const { folder, file } = leaveLab({ servers: [identify(server.pid) ?? {}] });
  const ended = Promise.all([once(server, "exit"), once(session, "exit")]);
  const lines: string[] = [];
  removeLeftovers((line) => lines.push(line));
  await ended;
  expect([existsSync(folder), existsSync(file)]).toEqual([false, false]);
  expect(lines).toEqual([expect.stringContaining("2 processes")]);
});

test("a process that only has the number of a dead server lives on", async () => {
  const stranger = startSleeper();
  await once(stranger, "spawn");
  leaveLab({ servers: [{ pid: stranger.pid, startTime: "1" }] });
  removeLeftovers(() => {});
  await wait(50);
  expect(identify(stranger.pid)).toBeDefined();
});

test("a living lab is left alone", () => {
  const { folder, file } = leaveLab({ owner: identify(process.pid) ?? {}, servers: [] });
  removeLeftovers(() => {});
  expect([existsSync(folder), existsSync(file)]).toEqual([true, true]);
});

test("a record that is cut, or names a folder elsewhere, removes nothing", () => {
  const elsewhere = mkdtempSync(path.join(temporary, "elsewhere-"));
  writeJson(path.join(stateFolder(), "lcops-lab-x.json"), {
    owner: { pid: 1, startTime: "" },
    folder: elsewhere,
    servers: [],
  });
  writeJson(path.join(stateFolder(), "lcops-lab-y.json"), { owner: {} });
  removeLeftovers(() => {});
  expect(existsSync(elsewhere)).toBe(true);
});

test("a lab records its servers while they run", async () => {
  const recorder = recordLab(path.join(temporary, "lcops-lab-def456"));
  const file = path.join(stateFolder(), "lcops-lab-def456.json");
  const server = startSleeper();
  await once(server, "spawn");
  recorder.add(server.pid);
  expect(readJson(file)).toMatchObject({
    owner: { pid: process.pid },
    servers: [{ pid: server.pid }],
  });
  recorder.remove(server.pid);
  expect(readJson(file)).toMatchObject({ servers: [] });
  recorder.erase();
  expect(existsSync(file)).toBe(false);
});

test("a lock is held by one at a time, and a dead holder does not keep it", async () => {
  writeJson(path.join(stateFolder(), "apt.lock"), { holders: [{ pid: 1, startTime: "long ago" }] });
  const first = await takeLock("apt");
  let second = false;
  const waiting = takeLock("apt").then((lock) => {
    second = true;
    return lock;
  });
  await wait(300);
  expect(second).toBe(false);
  first.release();
  (await waiting).release();
});
