import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPortPicker } from "../lab/free-port.ts";
import { until } from "../support/until.ts";
import { findObstacle, makeMachineGround, type MachineGround } from "../support/machine-ground.ts";

const obstacle = findObstacle();
const onMachine = test.skipIf(obstacle !== undefined);
if (obstacle !== undefined) console.log(`left out, what an app starts through sudo: ${obstacle}`);

let ground: MachineGround;
let serial = 0;
beforeAll(async () => {
  if (obstacle !== undefined) return;
  ground = await makeMachineGround();
  const rule = "nobody ALL=(ALL) NOPASSWD: ALL";
  await ground.run("sh", "-c", `echo '${rule}' > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab`);
}, 60_000);
afterAll(() => ground?.stop(), 30_000);

/** Starts one of root's that does not listen to sudo's SIGTERM, in its own session or in one of another, and serves until it is told to end. */
const APP = `const { spawn } = require("node:child_process");
const [port, tag, how] = process.argv.slice(2);
const sleep = (how === "leaves" ? "setsid --wait " : "") + "sleep 1000." + tag;
spawn("sudo", ["-n", "--", "sh", "-c", "trap '' TERM; exec " + sleep], { stdio: "ignore" });
require("node:http").createServer((request, response) => {
  response.end();
  if (request.url === "/end") process.exit(0);
}).listen(Number(port), "127.0.0.1");
`;

async function launchApp(how: "stays" | "leaves") {
  const script = path.join(ground.folder, "app.cjs");
  writeFileSync(script, APP, { mode: 0o644 });
  const port = await createPortPicker()("127.0.0.1");
  const tag = String(process.pid * 100 + ++serial);
  const name = `app-${serial}`;
  const url = `http://127.0.0.1:${port}/`;
  const run = [process.execPath, script, String(port), tag, how];
  const config = ground.configure({
    launches: { [name]: { kind: "app", folder: ground.folder, run, url } },
  });
  const find = async (): Promise<string[]> => {
    const pids = await ground.run("sh", "-c", `pgrep -f '^sleep 1000[.]${tag}$' || true`);
    return pids.split("\n").filter(Boolean);
  };
  const running = ground.start(["machine", "launch", name, "-v"], { config, user: "nobody" });
  await running.waitFor(/answers at/);
  await until("root's runs", async () => (await find()).length > 0, 30_000);
  return { name, url, ended: running.ended, find };
}

/** Each test waits for a process that does not end, so they run side by side. */
describe("an app that has started something as root", { timeout: 90_000, concurrent: true }, () => {
  onMachine.each(["stays", "leaves"] as const)(
    "tells what runs on when it is stopped and %s in its session",
    async (how) => {
      const { name, url, ended, find } = await launchApp(how);
      await ground.run(
        "sh",
        "-c",
        `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline | grep -q 'lcops[.]js .*machine launch ${name} ' && kill -INT \${p#/proc/}; done; true`,
      );
      const result = await ended;
      const [pid = ""] = await find();
      expect(pid).not.toBe("");
      expect(result).toMatchObject({ code: 130, stdout: "" });
      expect(result.stderr).toMatch(
        new RegExp(
          `lcops: ${name}: process(es)? .*\\b${pid}\\b.* still runs? on: .* another user's`,
        ),
      );
      expect(result.stderr).not.toContain("were stopped");
      await expect(fetch(url)).rejects.toThrow("fetch failed");
      await ground.run("kill", "-KILL", ...(await find()));
    },
  );

  onMachine("is done in part when it ends well and leaves that running", async () => {
    const { name, url, ended, find } = await launchApp("stays");
    await fetch(`${url}end`).catch(() => undefined);
    const result = await ended;
    expect(result.code).toBe(3);
    const [pid = ""] = await find();
    expect(result.stderr).toMatch(
      new RegExp(`${name}: process(es)? .*\\b${pid}\\b.* still runs? on`),
    );
    await ground.run("kill", "-KILL", pid);
  });
});
