import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  findRamProgram,
  findRamServer,
  initialiseData,
  startRamServer,
  stopRamServer,
} from "../../src/workstation/ram-server.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

let serial = 0;
function makeData(): string {
  const data = path.join(programs.folder, `data-${++serial}`);
  mkdirSync(data);
  return data;
}

describe("the programs of MariaDB", () => {
  test("are those in PATH, with the version that the server says", async () => {
    const server = programs.write(
      "mariadbd",
      "echo mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu",
    );
    const installer = programs.write("mariadb-install-db", "");
    expect(await findRamProgram(programs.environment)).toEqual({
      server,
      version: "10.11.14",
      installer,
    });
  });

  test("are none of another maker", async () => {
    programs.write("mariadbd", "echo mysqld  Ver 8.0.36 for Linux");
    expect(await findRamProgram(programs.environment)).toBeUndefined();
  });

  test("fail with the last words of the installer", async () => {
    const installer = programs.write(
      "install-fails",
      "printf 'one\\ntwo\\nno space\\n' >&2; exit 1",
    );
    const program = { server: "", version: "10.11.14", installer };
    await expect(initialiseData(program, "/nowhere", programs.environment)).rejects.toMatchObject({
      message: `${installer} ended with 1: no space`,
      details: ["one", "two"],
    });
  });
});

test("says why a server has ended before it answered", async () => {
  const data = makeData();
  const server = programs.write(
    "ending",
    `for word; do case $word in --log-error=*) log=\${word#--log-error=} ;; esac; done
echo "2026-01-01 0:00:00 0 [Note] starting" > "$log"
echo "2026-01-01 0:00:00 0 [ERROR] the port is taken" >> "$log"
echo "2026-01-01 0:00:00 0 [ERROR] Aborting" >> "$log"`,
  );
  const program = { server, version: "10.11.14", installer: "" };
  const { signal } = new AbortController();
  await expect(
    startRamServer(program, data, { environment: programs.environment, signal }),
  ).rejects.toMatchObject({
    kind: "failed",
    message: "the server has ended: the port is taken",
    details: ["Aborting"],
  });
});

test("finds the server of its own data alone, and ends it", async () => {
  const data = makeData();
  expect(await findRamServer(data)).toBeUndefined();
  const pidFile = path.join(data, "mysql.pid");
  // Another process has got this number meanwhile.
  writeFileSync(pidFile, `${process.pid}\n`);
  expect(await findRamServer(data)).toBeUndefined();
  await stopRamServer(data, "SIGKILL");
  const child = spawn("sh", ["-c", "sleep 1000; :", "sh", `--datadir=${data}`], { detached: true });
  const ended = once(child, "exit");
  writeFileSync(pidFile, `${child.pid}\n`);
  while ((await findRamServer(data)) === undefined)
    await new Promise((resolve) => setImmediate(resolve));
  expect(await findRamServer(data)).toBe(child.pid);
  await stopRamServer(data, "SIGKILL");
  expect((await ended)[1]).toBe("SIGKILL");
  try {
    process.kill(-(child.pid ?? 0), "SIGKILL");
  } catch {
    // All of its group has ended.
  }
  expect(await findRamServer(data)).toBeUndefined();
});
