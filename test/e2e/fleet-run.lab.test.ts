import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRelay } from "../lab/relay.ts";
import { sshdMissing } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { makeFleetGround, type FleetGround } from "../support/fleet-ground.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

const NAMES = ["api-1", "api-2", "api-3", "api-4", "db"];

let ground: FleetGround;
beforeAll(async () => {
  if (!sshdMissing) ground = await makeFleetGround({ names: NAMES });
});
afterAll(() => ground?.stop());

const run = (...words: string[]): Promise<LcopsResult> => ground.lcops("fleet", "run", ...words);

interface HostEvent {
  event: string;
  host: string;
  state: string;
  code: number | null;
  signal: string | null;
  why: string | null;
  stdout: { text: string; bytes: number; log: string; cutBytes?: number; end?: string } | null;
  stderr: { text: string; bytes: number; log: string } | null;
}
const eventsOf = ({ stdout }: LcopsResult): HostEvent[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as HostEvent);
const hostEvents = (result: LcopsResult): Record<string, HostEvent> =>
  Object.fromEntries(
    eventsOf(result)
      .filter(({ event }) => event === "host")
      .map((event) => [event.host, event]),
  );
const folderOf = (id: string): string => path.join(ground.stateFolder, "fleet", id);
const lastFolder = (): string =>
  folderOf(readdirSync(path.join(ground.stateFolder, "fleet")).toSorted().at(-1) ?? "");

describe.skipIf(sshdMissing)("a command on many hosts", () => {
  test("is silent but for what they say, and that is folded", async () => {
    const result = await run("*", "--", "case $LAB_HOST in db) echo odd;; *) echo even;; esac");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toBe("api-[1-4] (4):\neven\ndb:\nodd\n");
    expect(await run("api-*", "--", "true")).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test("gets several words as they are, and no input", async () => {
    const words = ["a b", "$HOME", "it's", ";true", ""];
    const result = await run("db", "--", "printf", "%s|", ...words);
    expect(result).toMatchObject({ code: 0, stdout: "db:\na b|$HOME|it's|;true||\n" });
    expect(await run("db", "--", "cat; echo end")).toMatchObject({ stdout: "db:\nend\n" });
  });

  test("tells codes, signals and lost connections apart, with 3", async () => {
    const script =
      "case $LAB_HOST in api-1) exit 7;; api-2) kill -9 $$;; api-3) kill -9 $PPID;; *) echo fine;; esac";
    const result = await run("*", "--", script);
    expect(result).toMatchObject({ code: 3, stdout: "api-4, db (2):\nfine\n" });
    expect(result.stderr).toMatch(/^api-1: ended with 7$/m);
    expect(result.stderr).toMatch(/^api-2: ended by SIGKILL$/m);
    expect(result.stderr).toMatch(
      /^api-3: how it ended is not known, it may be running still: .*lost/m,
    );
    expect(result.stderr).toMatch(
      /^lcops: 2 done, 2 failed, 1 unknown; all that was said is in \/\S+\/fleet\/run-\S+$/m,
    );
    const [entry] = (await ground.journal()).slice(-1);
    expect(entry).toMatchObject({ change: "run a command on api-[1-4], db" });
    expect(entry?.outcome).toMatchObject({ state: "unknown" });
    expect(entry?.outcome?.detail).toContain("2 done, 2 failed, 1 unknown; run-");
  });

  test("ends with 1 where none has done it", async () => {
    expect((await run("api-*", "--", "exit 3")).code).toBe(1);
  });

  test("says which hosts were not reached, and that nothing was run there", async () => {
    const before = structuredClone(ground.config.hosts?.["db"]);
    ground.configure(({ hosts }) => Object.assign(hosts?.["db"] ?? {}, { port: 9 }));
    const result = await run("*", "--json", "--", "echo here");
    ground.configure(({ hosts }) => Object.assign(hosts?.["db"] ?? {}, before));
    expect(result.code).toBe(3);
    expect(hostEvents(result)["db"]).toMatchObject({
      state: "unreached",
      code: null,
      stdout: null,
    });
    expect(hostEvents(result)["db"]?.why).toMatch(/refused/);
    expect(eventsOf(result).at(-1)).toMatchObject({ event: "end", done: 4, unreached: 1 });
  });

  test("keeps what was said, for its operator alone", async () => {
    const result = await run("api-1", "--json", "--", "echo out; echo err >&2; exit 4");
    const { stdout, stderr, code, state } = hostEvents(result)["api-1"] ?? {};
    expect({ code, state, out: stdout?.text, err: stderr?.text }).toEqual({
      code: 4,
      state: "failed",
      out: "out\n",
      err: "err\n",
    });
    expect(readFileSync(stdout?.log ?? "", "utf8")).toBe("out\n");
    expect(statSync(stderr?.log ?? "").mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(stdout?.log ?? "")).mode & 0o777).toBe(0o700);
  });

  test("leaves a command that does not end", async () => {
    ground.configure((config) => (config.fleet = { limitSeconds: 1 }));
    const result = await run("db", "--", "echo begun; sleep 30");
    ground.configure((config) => delete config.fleet);
    expect(result).toMatchObject({ code: 1, stdout: "db:\nbegun\n" });
    expect(result.stderr).toMatch(/^db: how it ended is not known.*not ended within 1 s$/m);
  });

  test("leaves one that heeds neither a hang-up nor the end of its connection, and knows nothing of it", async () => {
    const mark = path.join(ground.ground.folder, "stubborn");
    ground.configure((config) => (config.fleet = { limitSeconds: 1 }));
    const script = `trap '' HUP TERM PIPE; echo begun; sleep 3; echo on >${mark}`;
    const result = await run("db", "--json", "--", script);
    ground.configure((config) => delete config.fleet);
    expect(result.code).toBe(1);
    expect(hostEvents(result)["db"]).toMatchObject({ state: "unknown", code: null });
    expect(existsSync(mark)).toBe(false);
    // It was running still, as was said.
    await until("it has ended by itself", () => existsSync(mark), 15_000);
  });

  test.skipIf(!existsSync("/usr/bin/setpriv") || !existsSync("/usr/bin/sudo"))(
    "has sudo fail at once that wants a password",
    async () => {
      const script = "setpriv --reuid=65534 --regid=65534 --clear-groups sudo true";
      const result = await run("db", "--json", "--", script);
      expect(result.code).toBe(1);
      const { state, stderr } = hostEvents(result)["db"] ?? {};
      expect(state).toBe("failed");
      expect(stderr?.text).toMatch(/^sudo: .*(password|terminal)/m);
    },
  );

  test("takes as many at once as it is told", async () => {
    const shared = path.join(ground.ground.folder, "running");
    const script = `mkdir -p ${shared}; touch ${shared}/$LAB_HOST; ls ${shared} | wc -l; sleep 0.2; rm ${shared}/$LAB_HOST`;
    ground.configure((config) => (config.fleet = { atOnce: 2 }));
    const result = await run("*", "--json", "--", script);
    ground.configure((config) => delete config.fleet);
    const counts = Object.values(hostEvents(result)).map(({ stdout }) => Number(stdout?.text));
    expect(counts).toHaveLength(NAMES.length);
    expect(Math.max(...counts)).toBe(2);
  });

  test("wants a command", async () => {
    const without = await run("db");
    expect(without).toMatchObject({ code: 2, stdout: "" });
    expect(without.stderr).toBe(
      "lcops: it must be said what to run; lcops fleet run db -- COMMAND\n",
    );
  });
});

describe.skipIf(sshdMissing)("output", { timeout: 120_000 }, () => {
  test("of any size goes to the disk, its ends are shown, and the memory stays flat", async () => {
    const half = 30 * 1024 * 1024;
    const script = `echo first; head -c ${half} /dev/zero; head -c ${half} /dev/zero >&2; echo last`;
    const { variables, readMb } = watchMemory(ground.ground.folder);
    const result = await runLcops(["fleet", "run", "api-*", "--json", "--", script], {
      environment: { ...ground.environment, ...variables },
      timeoutMs: 100_000,
    });
    expect(result.code).toBe(0);
    for (const { stdout, stderr } of Object.values(hostEvents(result))) {
      expect(stdout?.bytes).toBe(half + 11);
      expect(stderr?.bytes).toBe(half);
      expect(stdout?.text.startsWith("first\n\0")).toBe(true);
      expect(stdout?.end?.endsWith("\0last\n")).toBe(true);
      expect(stdout?.cutBytes).toBe(half + 11 - 128 * 1024);
      expect(statSync(stdout?.log ?? "").size).toBe(half + 11);
    }
    expect(readMb()).toBeLessThan(200);
  });

  test("is folded by all of it, not by what is shown", async () => {
    const script =
      "head -c 2000000 /dev/zero | tr '\\0' x; echo $LAB_HOST; head -c 2000000 /dev/zero | tr '\\0' x";
    const result = await run("api-1", "api-2", "--", script);
    expect(result.stdout).toMatch(/^api-1:\n/m);
    expect(result.stdout).toMatch(/^api-2:\n/m);
    expect(result.stderr).toMatch(/3\.0 MB are left out here; all of it is in \/\S+001-api-1\.out/);
  });

  test("without a line's end, and of any bytes, is handed on as it is", async () => {
    const result = await run("db", "--json", "--", "printf 'a\\0b\\377'");
    const { stdout } = hostEvents(result)["db"] ?? {};
    expect([...readFileSync(stdout?.log ?? "")]).toEqual([97, 0, 98, 255]);
    expect((await run("db", "--", "printf a")).stdout).toBe("db:\na\n");
  });

  test("cannot steer a terminal", async () => {
    const pty = openPty(["fleet", "run", "db", "--", "printf 'a\\033[31mb\\tc\\n'"], {
      environment: ground.environment,
    });
    expect((await pty.exit).code).toBe(0);
    expect(pty.text()).toContain("db:\na\\x1b[31mb");
    pty.kill();
  });
});

describe.skipIf(sshdMissing)("a run that is stopped", () => {
  test("names what was under way, what was not tried, and leaves with 130", async () => {
    ground.configure((config) => (config.fleet = { atOnce: 1 }));
    const running = ground.start("fleet", "run", "api-1", "api-2", "--", "echo begun; sleep 30");
    await until(
      "it runs",
      () => {
        try {
          return readFileSync(path.join(lastFolder(), "001-api-1.out"), "utf8") === "begun\n";
        } catch {
          return false;
        }
      },
      15_000,
    );
    running.send("SIGINT");
    const result = await running.ended;
    ground.configure((config) => delete config.fleet);
    expect(result.code).toBe(130);
    expect(result.stderr).toMatch(/^api-1: how it ended is not known.*lcops was stopped/m);
    expect(result.stderr).toMatch(/^api-2: not tried$/m);
    expect((await ground.journal()).at(-1)?.outcome).toMatchObject({ state: "unknown" });
  });

  test("has a connection cut before its command: nothing was run there", async () => {
    const [host] = ground.hosts;
    if (!host) throw new Error("there is a host");
    const relay = await startRelay({ host: host.sshd.address, port: host.sshd.port });
    relay.refuse(true);
    const before = structuredClone(ground.config.hosts?.[host.name]);
    ground.reachAt(host, relay.port);
    const result = await run(host.name, "--json", "--", "true");
    expect(hostEvents(result)[host.name]).toMatchObject({ state: "unreached" });
    relay.refuse(false);
    expect((await run(host.name, "--", "true")).code).toBe(0);
    ground.configure(({ hosts }) => Object.assign(hosts?.[host.name] ?? {}, before));
    await relay.close();
  });
});
