import { PassThrough, Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Connection } from "../../src/ssh/connect.ts";
import { filterEscapes } from "../../src/ssh/filter-escapes.ts";
import type { TerminalSize } from "../../src/ssh/pump-session.ts";
import {
  collect,
  hopTo,
  makeGround,
  operatorError,
  sshdMissing,
  startRelay,
  startSshd,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

test.each([
  ["plain", ["ls ~.\r"], "ls ~.\r", 0],
  ["at the beginning", ["~."], "", 1],
  ["after a line", ["ls\r", "~", ".rest"], "ls\r", 1],
  ["two tildes", ["\r~~."], "\r~.", 0],
  ["another key", ["~x."], "~x.", 0],
  ["tilde and Enter", ["~\r~."], "~\r", 1],
])("~. %s", (_name, typed, sent, left) => {
  let leaves = 0;
  const filter = filterEscapes(() => (leaves += 1));
  expect(Buffer.concat(typed.map((text) => filter(Buffer.from(text)))).toString()).toBe(sent);
  expect(leaves).toBe(left);
});

describe.skipIf(sshdMissing)("sessions", () => {
  const signal = new AbortController().signal;
  let ground: TestGround;
  let sshd: TestSshd;
  let connection: Connection;
  beforeAll(async () => {
    ground = await makeGround();
    sshd = await startSshd(ground, "sshd", {
      settings: ["SetEnv HOME=/nonexistent"],
    });
    connection = await connect([await hopTo(ground, sshd, "sshd")], { signal });
  });
  afterAll(async () => {
    await connection.close();
    await ground.stop();
  });

  test("output, error output and exit code", async () => {
    const [stdout, stderr] = [collect(), collect()];
    const status = await connection.execute("echo out; echo error >&2; exit 3", { stdout, stderr });
    expect(status).toEqual({ code: 3 });
    expect([stdout.text(), stderr.text()]).toEqual(["out\n", "error\n"]);
  });

  test("a signal is not an exit code", async () => {
    expect(
      await connection.execute("kill -TERM $$", { stdout: collect(), stderr: collect() }),
    ).toEqual({
      signal: "SIGTERM",
    });
  });

  test("5 MB on stderr, 5 MB on stdout", async () => {
    const [stdout, stderr] = [collect(), collect()];
    const command = "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero";
    expect(await connection.execute(command, { stdout, stderr })).toEqual({ code: 0 });
    expect([stdout.sizeBytes(), stderr.sizeBytes()]).toEqual([5_000_000, 5_000_000]);
  });

  test("a slow reader makes the command wait, and gets everything", async () => {
    let size = 0;
    const stdout = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        size += chunk.length;
        setTimeout(done, 1);
      },
    });
    await connection.execute("head -c 4000000 /dev/zero", { stdout, stderr: collect() });
    await until("the rest is written", () => size === 4_000_000);
  });

  test("stdin is passed with its end", async () => {
    const stdout = collect();
    const stdin = Readable.from([Buffer.alloc(3_000_000, "a"), Buffer.from("the end")]);
    expect(
      await connection.execute("wc -c; tail -c 7", { stdin, stdout, stderr: collect() }),
    ).toEqual({ code: 0 });
    expect(stdout.text().trim()).toBe("3000007");
  });

  test("a command that does not read its input ends all the same", async () => {
    const stdin = new PassThrough();
    stdin.write(Buffer.alloc(10_000_000));
    expect(
      await connection.execute("exit 4", { stdin, stdout: collect(), stderr: collect() }),
    ).toEqual({ code: 4 });
  });

  test("without stdin a command reads nothing", async () => {
    expect(await connection.execute("cat", { stdout: collect(), stderr: collect() })).toEqual({
      code: 0,
    });
  });

  test("the reader goes away: its own error", async () => {
    const stdout = new PassThrough();
    stdout.once("data", () => stdout.destroy());
    await expect(connection.execute("yes", { stdout, stderr: collect() })).rejects.toMatchObject({
      code: "EPIPE",
    });
  });

  test("what it complains of and nobody reads is passed over; what cannot be kept is an error", async () => {
    const gone = new PassThrough();
    gone.once("data", () => gone.destroy());
    const stdout = collect();
    const noise = "for i in 1 2 3; do echo e >&2; echo o; sleep 0.2; done; exit 5";
    expect(await connection.execute(noise, { stdout, stderr: gone })).toEqual({ code: 5 });
    expect(stdout.text()).toBe("o\no\no\n");
    const full = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })),
    });
    await expect(
      connection.execute(noise, { stdout: collect(), stderr: full }),
    ).rejects.toMatchObject({ code: "ENOSPC" });
  });

  test("its own signal ends one command only", async () => {
    const controller = new AbortController();
    const running = connection.execute("sleep 3", {
      stdout: collect(),
      stderr: collect(),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(running).rejects.toThrow("enough");
    expect(await connection.execute("true", { stdout: collect(), stderr: collect() })).toEqual({
      code: 0,
    });
  });

  test("more sessions than the server allows", async () => {
    const small = await startSshd(ground, "small", { settings: ["MaxSessions 1"] });
    const other = await connect([await hopTo(ground, small, "small")], { signal });
    const streams = { stdout: collect(), stderr: collect() };
    const running = other.execute("sleep 0.4", streams);
    await wait(50);
    const error = await operatorError(other.execute("true", streams));
    expect(error.message).toContain("the server opens no session: open failed");
    expect(error.next).toContain("MaxSessions");
    expect(await running).toEqual({ code: 0 });
    const succeeds = (): Promise<boolean> =>
      other.execute("true", streams).then(
        () => true,
        () => false,
      );
    await until("the session is free again", succeeds);
    await other.close();
  });

  test("the link is lost in the middle: an error, never an exit code", async () => {
    const relay = await startRelay(ground, sshd);
    const known = join(ground.folder, "relay-known");
    await writeFile(
      known,
      sshd.knownHosts.join("\n").replace(/^\S+/, `[${relay.address}]:${relay.port}`),
    );
    const other = await connect(
      [await hopTo(ground, sshd, "sshd", { ...relay, knownHostsFiles: [known] })],
      {
        signal,
      },
    );
    const stdout = collect();
    const failed = operatorError(
      other.execute("echo begun; sleep 60", { stdout, stderr: collect() }),
    );
    await until("the command runs", () => stdout.text() === "begun\n");
    relay.cut();
    const error = await failed;
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(/^sshd \(127\.0\.0\.82:\d+\): the connection was lost/);
    await other.close();
  });

  test("a command on a terminal", async () => {
    const stdout = collect();
    const terminal = { term: "xterm-256color", columns: 91, rows: 23 };
    const status = await connection.execute("tty; stty size; echo $TERM; exit 5", {
      stdin: new PassThrough(),
      stdout,
      stderr: collect(),
      terminal,
    });
    expect(status).toEqual({ code: 5 });
    expect(stdout.text()).toMatch(/^\/dev\/pts\/\d+\r\n23 91\r\nxterm-256color\r\n$/);
  });

  const openShell = () => {
    const stdin = new PassThrough();
    const stdout = collect();
    let resize: (size: TerminalSize) => void = () => {};
    let subscribed = 0;
    const terminal = {
      term: "vt100",
      columns: 80,
      rows: 24,
      onResize: (listener: (size: TerminalSize) => void) => {
        resize = listener;
        subscribed += 1;
        return () => void (subscribed -= 1);
      },
    };
    const ended = connection.openShell({ stdin, stdout, stderr: collect(), terminal });
    return {
      stdin,
      stdout,
      ended,
      resize: (size: TerminalSize) => resize(size),
      subscribed: () => subscribed,
    };
  };

  test("a shell on a terminal: echo, size, exit code", async () => {
    const shell = openShell();
    shell.stdin.write('echo be""gun\n');
    await until("the shell answers", () => shell.stdout.text().includes("begun"));
    expect(shell.stdout.text()).toContain('echo be""gun');
    shell.resize({ columns: 132, rows: 50 });
    shell.stdin.write("stty size\n");
    await until("the new size is seen", () => shell.stdout.text().includes("50 132"));
    shell.stdin.write("exit 6\n");
    expect(await shell.ended).toEqual({ code: 6 });
    expect(shell.subscribed()).toBe(0);
    expect(shell.stdin.isPaused()).toBe(true);
    expect(shell.stdin.listenerCount("data")).toBe(0);
  });

  test("~. leaves a shell", async () => {
    const shell = openShell();
    shell.stdin.write("sleep 60\r");
    await until("the command runs", () => shell.stdout.text().includes("sleep 60"));
    shell.stdin.write("~.");
    const error = await operatorError(shell.ended);
    expect(error.kind).toBe("cancelled");
    expect(error.message).toContain("ended by ~.");
  });

  test("a shell without a terminal", async () => {
    const stdout = collect();
    const stdin = Readable.from(["tty\n", 'echo "~."\n', "exit 7\n"]);
    expect(await connection.openShell({ stdin, stdout, stderr: collect() })).toEqual({ code: 7 });
    expect(stdout.text()).toContain("not a tty\n~.\n");
  });
});
