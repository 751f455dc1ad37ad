/** The warm process stands in for one of its own: what it says must be what that says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LCOPS } from "./program.ts";
import { runLcops, startLcops, startProgram } from "./run-lcops.ts";

let folder: string;
let environment: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lcops-warm-"));
  environment = { PATH: process.env["PATH"] ?? "", HOME: folder };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, config: object): string => {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
};

test.each([
  "--version",
  "--help",
  "help exit-codes --json",
  "hosts NOSUCH",
  "--config EMPTY hosts NOSUCH --json",
  "--config EMPTY hosts -v",
  "--config EMPTY mysql",
  "--config BAD config check",
  "dyn",
  "constructor",
  "tunnel list",
  "completion bash",
])("lcops %s ends as it does in a process of its own", async (text) => {
  const words = text.split(" ");
  const files = new Map([
    ["EMPTY", put("empty.json", {})],
    ["BAD", put("bad.json", { hosts: { a: { jump: 1 } } })],
  ]);
  const line = words.map((word) => files.get(word) ?? word);
  const own = await startProgram(process.execPath, [LCOPS, ...line], { environment }).ended;
  // The second run has what the first one may have left.
  expect(await runLcops(line, { environment })).toEqual(own);
  expect(await runLcops(line, { environment })).toEqual(own);
});

test("a run has its own variables, and none of another run", async () => {
  const lost = join(folder, "lost.json");
  const first = await runLcops(["config", "check"], {
    environment: { ...environment, LCOPS_CONFIG: lost },
  });
  expect(first.stderr).toContain(lost);
  const second = await runLcops(["config", "check"], { environment });
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`${folder}/.config/lcops/lcops.config.json`);
});

/** An app that never answers. */
const launch = (): string[] => {
  const run = [process.execPath, "-e", "console.log('begun'); setInterval(() => {}, 1000)"];
  const app = { kind: "app", folder, run, url: "http://127.0.0.1:9/" };
  return [
    "machine",
    "launch",
    "app",
    "--config",
    put("app.json", { workstation: { launches: { app } } }),
  ];
};

test("a signal stops a run as it stops a process, and the next one runs as if there had been none", async () => {
  const running = startLcops(launch(), { environment });
  await running.waitFor(/begun/);
  running.send("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 143, stdout: "begun\n" });
  expect(await runLcops(["--version"], { environment })).toMatchObject({ code: 0, stderr: "" });
  const again = startLcops(launch(), { environment });
  await again.waitFor(/begun/);
  again.send("SIGINT");
  expect((await again.ended).code).toBe(130);
});

test("a run that is killed says by which signal, and no later run has its process", async () => {
  const running = startLcops(launch(), { environment });
  await running.waitFor(/begun/);
  running.send("SIGKILL");
  expect(await running.ended).toMatchObject({ code: null, signal: "SIGKILL" });
  const next = startLcops(["--version"], { environment });
  expect(next.pid).not.toBe(running.pid);
  expect((await next.ended).code).toBe(0);
  // The next launch ends the process that the killed one left running.
  const cleaned = startLcops([...launch(), "-v"], { environment });
  await cleaned.waitFor(/ended a process that a launch before had left behind/);
  cleaned.send("SIGTERM");
  await cleaned.ended;
});

test("a run that does not end within its time is killed, and says what it has said", async () => {
  const late = runLcops(launch(), { environment, timeoutMs: 1_500 });
  await expect(late).rejects.toThrow(/not ended within 1500 ms: lcops machine launch[^]*begun/);
  const cleaned = startLcops([...launch(), "-v"], { environment });
  await cleaned.waitFor(/ended a process that a launch before had left behind/);
  cleaned.send("SIGTERM");
  await cleaned.ended;
});
