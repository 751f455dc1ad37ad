import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { runLcops, startLcops, startProgram, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const lcops = (...args: string[]): Promise<LcopsResult> =>
  runLcops(args, { environment: ground.environment });

test("help exit-codes is the table of the contract", async () => {
  const { stdout } = await lcops("help", "exit-codes");
  expect(stdout.replace(/ {2,}/g, "  ").split("\n")).toEqual([
    '0  done, all of it; also "nothing to do"',
    "1  failed: nothing of it was done, or all of it was undone",
    "2  the command line or the configuration is wrong; nothing was touched",
    "3  done in part: the output names what is missing",
    "4  a check found what it looks for: inconsistency, corrupt backup, failed drill, bad health",
    "5  refused: it needs a confirmation, or a guard or a conflict stands in the way",
    "6  another run holds the lock",
    expect.stringMatching(/^130, 143 +stopped by SIGINT, SIGTERM, after cleaning up/),
    expect.stringMatching(/^255 .*lcops failed before the child/),
    "",
  ]);
});

describe("2 says that the command line is wrong", () => {
  test.each([
    ["an unknown flag", ["hosts", "--nosuch"], /unknown option .--nosuch.; see lcops help hosts/],
    [
      "a launch that is not known",
      ["machine", "launch", "jx"],
      /nothing to launch of the name jx; name one of ja, jw, app/,
    ],
    ["a key of the panel that is not known", ["menu", "m", "99"], /the panel has no key 99/],
    ["a verb that is missing", ["tunnel"], /open/],
    [
      "an environment that is not known",
      ["hosts", "--env", "qa"],
      /no environment qa; name one of dev, prod/,
    ],
    [
      "a configuration that is missing",
      ["hosts", "--config", "/nosuch.json"],
      /no configuration at \/nosuch.json; run lcops config init/,
    ],
  ])("%s", async (_what, args, said) => {
    const result = await lcops(...args);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(said);
  });
});

describe("the code of the child is returned, and 255 when there was none", () => {
  testWith("hosts", "graphite").each([
    ["ssh", ["ssh", "GraphStats", "--", "exit 7"], 7],
    ["ssh with a host that is not known", ["ssh", "NOSUCH"], 255],
    [
      "a tunnel's command that cannot be started",
      ["tunnel", "open", "graphite", "--", "/etc/passwd"],
      255,
    ],
    ["a tunnel's command", ["tunnel", "open", "graphite", "--", "sh", "-c", "exit 9"], 9],
    [
      "a tunnel's command that is killed",
      ["tunnel", "open", "graphite", "--", "sh", "-c", "kill -9 $$"],
      137,
    ],
    [
      "a tunnel's command that is not installed",
      ["tunnel", "open", "graphite", "--", "nosuch-program"],
      255,
    ],
  ] as const)("%s", async (_what, args, code) => {
    expect(await lcops(...args)).toMatchObject({ code, signal: null });
  });

  testWith("mysql")("mysql", async () => {
    expect((await lcops("mysql", "--", "-e", "select bogus")).code).toBe(1);
    expect((await lcops("mysql", "--", "--nosuch-option")).code).toBe(2);
    expect((await lcops("mysql", "nosuch_database", "--", "-e", "select 1")).code).toBe(1);
    expect((await lcops("mysql", "--env", "dev")).code).toBe(255);
  });

  testWith("hosts", "kibana")("lcops run by lcops hands on the code of what it ran", async () => {
    const words = ["tunnel", "open", "kibana", "--", "lcops", "ssh", "TextLogs", "--", "exit 7"];
    expect((await lcops(...words)).code).toBe(7);
  });
});

describe("a host that does not answer", () => {
  const lost = async (): Promise<string> => {
    const port = await ground.pickPort();
    return ground.deriveConfig((config) => {
      Object.assign(config.hosts?.["GraphStats"] ?? {}, { address: { eip: "127.0.0.1" }, port });
    });
  };

  testWith("hosts").each([
    ["ssh", ["ssh", "GraphStats"], [], 255],
    ["tunnel open", ["tunnel", "open", "graphite"], [], 1],
    ["tunnel open with a command", ["tunnel", "open", "graphite"], ["--", "true"], 255],
  ] as const)("%s", async (_what, args, rest, code) => {
    const result = await lcops(...args, "--config", await lost(), ...rest);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: .*GraphStats.*refused.*; .+\n$/);
  });
});

describe("5 says that a port is taken", () => {
  testWith("hosts")("by another program, which is named", async () => {
    const port = ground.portOf("graphite");
    const script = `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("up"))`;
    const holder = startProgram(process.execPath, ["-e", script], {
      environment: ground.environment,
    });
    await holder.waitFor(/up/);
    const program = readFileSync(`/proc/${holder.pid}/comm`, "utf8").trim();
    const result = await lcops("tunnel", "open", "graphite");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toBe(
      `lcops: port ${port} is held by ${program} (pid ${holder.pid}); end it, or give the service another localPort\n`,
    );
    holder.send("SIGTERM");
    await holder.ended;
  });

  testWith("hosts", "jenkins")("by the same tunnel, which is told", async () => {
    const first = startLcops(["tunnel", "open", "jenkins"], { environment: ground.environment });
    await first.waitFor(/ready \(/);
    const result = await lcops("tunnel", "open", "jenkins");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(
      `the tunnel jenkins is open already, by lcops (pid ${first.pid}); use it at http://localhost:${ground.portOf("jenkins")}/`,
    );
    first.send("SIGTERM");
    expect((await first.ended).code).toBe(143);
    expect((await lcops("tunnel", "open", "jenkins", "--", "true")).code).toBe(0);
  });
});
