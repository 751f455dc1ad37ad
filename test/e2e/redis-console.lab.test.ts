import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty } from "../support/pty.ts";
import { makeRedisGround, type RedisGround } from "../support/redis-ground.ts";
import type { RedisServer } from "../support/redis-servers.ts";
import { until } from "../support/until.ts";
import { LCOPS } from "../support/program.ts";
import { runLcops, startLcops, startProgram } from "../support/run-lcops.ts";

const withRedis = testWith("redis");
const PASSWORD = "console-s3cret";

let ground: RedisGround;
let server: RedisServer;
let config: string;
beforeAll(async () => {
  ground = await makeRedisGround();
  // What the pseudo-terminal needs, and no more.
  const programs = path.join(ground.folder, "programs");
  mkdirSync(programs);
  for (const name of ["sh", "stty"]) symlinkSync(`/bin/${name}`, path.join(programs, name));
  if (!ground.lab.services.redis) return;
  server = await ground.start(["--requirepass", PASSWORD], PASSWORD);
  const file = ground.writeFile("password", `${PASSWORD}\n`);
  config = ground.configFor(server.port, { password: `\${file:${file}}`, database: 3 });
});
afterAll(() => ground.end());

const words = (...more: string[]): string[] => [
  "redis",
  "console",
  "cache",
  "--config",
  config,
  ...more,
];
/** Where there is no redis-cli. */
const without = (): Record<string, string> => ({
  ...ground.environment,
  PATH: path.join(ground.folder, "programs"),
});

describe("redis-cli", () => {
  withRedis("is the operator's own, in the configured database", async () => {
    const { environment } = ground;
    const set = await runLcops(words("--", "SET", "a b", "1"), { environment });
    expect(set).toEqual({ code: 0, signal: null, stdout: "OK\n", stderr: "" });
    expect(await server.askIn(3, "GET", "a b")).toBe("1");
    const piped = await runLcops(words(), { environment, stdin: 'GET "a b"\nDBSIZE\n' });
    expect(piped).toEqual({ code: 0, signal: null, stdout: "1\n1\n", stderr: "" });
  });

  withRedis("alone has the password, and not in its arguments", async () => {
    const running = startLcops(words("--", "BLPOP", "nothing", "20"), {
      environment: { ...ground.environment, REDISCLI_AUTH: "of another server" },
    });
    const isWaiting = async (): Promise<boolean> =>
      (await server.ask("CLIENT", "LIST")).includes("cmd=blpop");
    await until("it waits", isWaiting, 20_000);
    const processes = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
    // The one with which this test asks has it in its arguments, and has gone.
    expect(processes.filter((pid) => read(pid, "cmdline").includes(PASSWORD))).toEqual([]);
    const having = processes.filter((pid) => read(pid, "environ").includes(PASSWORD));
    expect(having.map((pid) => read(pid, "cmdline").split("\0")[0])).toEqual([
      expect.stringMatching(/redis-cli$/),
    ]);
    await server.askIn(3, "RPUSH", "nothing", "x");
    expect(await running.ended).toMatchObject({ code: 0, stdout: "nothing\nx\n" });
  });

  testWith("redis", "hosts")("goes through the host that is named", async () => {
    const through = ground.deriveConfig((changed) => {
      const cache = changed.services?.["dev-cache"];
      Object.assign(cache ?? {}, { address: "127.0.0.1", port: server.port, database: 3 });
      Object.assign(cache ?? {}, { password: `\${file:${ground.folder}/password}` });
    });
    const line = ["redis", "console", "dev-api3-2", "--config", through, "-v", "--", "PING"];
    const result = await runLcops(line, { environment: ground.environment });
    expect(result).toMatchObject({ code: 0, stdout: "PONG\n" });
    expect(result.stderr).toMatch(/^dev-cache: 127\.0\.0\.1:\d+ through dev-api3-2$/m);
  });

  testWith("redis", "hosts")("is told why its host reaches no Redis", async () => {
    const closed = ground.deriveConfig((changed) => {
      Object.assign(changed.services?.["dev-cache"] ?? {}, { address: "127.0.0.1", port: 9 });
    });
    for (const line of [["info"], ["flush", "--db", "--yes"], ["console", "--", "PING"]]) {
      const [verb = "", ...more] = line;
      const result = await runLcops(["redis", verb, "dev-api3-2", "--config", closed, ...more], {
        environment: ground.environment,
      });
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(
        /^lcops: dev-cache: dev-api3-2 .*127\.0\.0\.1:9 cannot be reached from there: .*; check that the service listens on 127\.0\.0\.1:9$/m,
      );
      expect(result.stderr).not.toContain("ECONNRESET");
    }
  });

  withRedis("on a terminal is told whose it is, before its prompt", async () => {
    const pty = openPty(words(), { environment: ground.environment, showsMode: true });
    await pty.waitFor(/127\.0\.0\.1:\d+\[3\]>$/);
    expect(pty.text()).toContain(`cache: 127.0.0.1:${server.port} directly, environment dev\n`);
    pty.type("exit\r");
    expect((await pty.exit).code).toBe(0);
  });

  withRedis("has failed with the command that it was given", async () => {
    const { environment } = ground;
    const failed = await runLcops(words("--", "NOSUCH"), { environment });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/ERR unknown command/);
    const file = ground.writeFile("wrong", "no\n");
    const wrong = ground.configFor(server.port, { password: `\${file:${file}}` });
    const refused = await ground.redis("console", wrong, "--", "PING");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/NOAUTH/);
    // Lines are a conversation: one that is mistyped does not end it.
    const piped = await runLcops(words(), { environment, stdin: "NOSUCH\nPING\n" });
    expect(piped.stdout).toMatch(/PONG\n$/);
  });
});

describe("the console of lcops, where there is no redis-cli", () => {
  withRedis("does one command", async () => {
    const done = await runLcops(words("--", "ECHO", "a b"), { environment: without() });
    expect(done).toEqual({ code: 0, signal: null, stdout: "a b\n", stderr: "" });
    const failed = await runLcops(words("--", "NOSUCH"), { environment: without() });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/^\(error\) ERR unknown command/);
    const endless = await runLcops(words("--", "MONITOR"), { environment: without() });
    expect(endless.stderr).toContain("MONITOR needs redis-cli; install redis-tools");
  });

  withRedis("takes lines from a pipe, and tells whether all went well", async () => {
    const well = await runLcops(words(), {
      environment: without(),
      stdin: 'SET "\\x01k" "a b"\n\nGET "\\x01k"\nMGET "\\x01k" nothing\n',
    });
    expect(well).toEqual({ code: 0, signal: null, stdout: "OK\na b\na b\n\n", stderr: "" });
    const amiss = await runLcops(words(), { environment: without(), stdin: "NOSUCH\nPING\n" });
    expect(amiss).toMatchObject({ code: 1, stdout: "PONG\n" });
  });

  withRedis("ends with who reads it, whatever may still come to be asked", async () => {
    const script = '/usr/bin/yes PING | "$@" | /usr/bin/head -1; echo "code ${PIPESTATUS[1]}"';
    const line = [process.execPath, LCOPS, ...words()];
    const { stdout } = await startProgram("/bin/bash", ["-c", script, "bash", ...line], {
      environment: without(),
      timeoutMs: 30_000,
    }).ended;
    expect(stdout).toBe("PONG\ncode 0\n");
  });

  withRedis("talks on a terminal, and leaves it as it was", async () => {
    await server.askIn(3, "SET", "odd", "\u001b[2J");
    const pty = openPty(words(), { environment: without(), showsMode: true });
    await pty.waitFor(/cache\[3\]>$/);
    expect(pty.text()).toContain("redis-cli is not installed: this is a console of lcops");
    pty.type("GET odd\r");
    await pty.waitFor('"\\x1b[2J"');
    pty.type("SELECT 0\r");
    await pty.waitFor(/cache\[0\]>$/);
    pty.type("LPUSH l a b\r");
    await pty.waitFor("(integer) 2");
    pty.type("LRANGE l 0 -1\r");
    await pty.waitFor(/1\) "b"\n2\) "a"/);
    pty.type("half a line");
    pty.press("ctrl-c");
    await pty.waitFor(/cache\[0\]>$/);
    pty.press("ctrl-d");
    expect((await pty.exit).code).toBe(0);
    expect(isLeftRaw(pty.text())).toBe(false);
  });

  withRedis("says so when its server has gone", async () => {
    const mortal = await ground.start();
    const line = ["redis", "console", "cache", "--config", ground.configFor(mortal.port)];
    const pty = openPty(line, { environment: without() });
    await pty.waitFor(/cache\[0\]>$/);
    await mortal.kill();
    pty.type("PING\r");
    expect((await pty.exit).code).toBe(1);
    expect(pty.text()).toContain("lcops: cache: the connection was lost; see lcops doctor");
  });
});

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
