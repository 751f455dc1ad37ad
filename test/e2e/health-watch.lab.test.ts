/** `health --watch` in a pseudo-terminal, and what Graphite tells of disks; real servers. */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ShownReading } from "../../src/commands/health/describe-readings.ts";
import type { Config } from "../support/known-config.ts";
import { answerWith, httpAnswer, startScripted } from "../services/scripted-server.ts";
import { startRelay } from "../lab/relay.ts";
import { knownHostLine } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty, type Pty, type PtyOptions } from "../support/pty.ts";
import { makeRedisGround, type RedisGround } from "../support/redis-ground.ts";
import { runLcops } from "../support/run-lcops.ts";

let ground: RedisGround;
beforeAll(async () => {
  ground = await makeRedisGround();
});
afterAll(() => ground.end());

/** Only these services, and the hosts that they stand on. */
function configOf(
  services: NonNullable<Config["services"]>,
  change: (config: Config) => void = () => undefined,
): string {
  return ground.deriveConfig((config) => {
    config.services = services;
    const wanted = new Set(Object.values(services).flatMap(({ host }) => host ?? []));
    const hosts = Object.entries(config.hosts ?? {}).filter(([name]) => wanted.has(name));
    config.hosts = Object.fromEntries(hosts);
    for (const environment of Object.values(config.environments ?? {})) delete environment.aws;
    delete config.backups;
    delete config.menu;
    change(config);
  });
}

const watch = (config: string, options: Partial<PtyOptions> = {}, ...more: string[]): Pty =>
  openPty(["health", "--watch", "--config", config, ...more], {
    environment: ground.environment,
    columns: 120,
    rows: 20,
    ...options,
  });
const here = { environment: "dev", address: "127.0.0.1" } as const;

test("without a screen it is refused", async () => {
  const config = configOf({ gone: { kind: "http", ...here, port: 9 } });
  const result = await runLcops(["health", "--watch", "--config", config], {
    environment: ground.environment,
  });
  expect(result.code).toBe(2);
  const said = result.stderr + result.stdout;
  expect(said).toContain("health --watch needs a terminal to draw on");
  expect(said).toContain("run lcops health, or lcops health --json, again and again");
});

testWith("redis")("Ctrl-C leaves with the code of what was seen last", async () => {
  const cache = await ground.start([]);
  const pty = watch(configOf({ cache: { kind: "redis", ...here, port: cache.port } }), {
    showsMode: true,
  });
  await pty.waitFor(/^ok .* redis +cache/m, 20_000);
  pty.press("ctrl-c");
  expect((await pty.exit).code).toBe(0);
  expect(pty.text()).toContain("all 1 are well");
  expect(isLeftRaw(pty.text())).toBe(false);
});

test("SIGTERM ends it with 143 and gives the terminal back", async () => {
  const pty = watch(configOf({ gone: { kind: "http", ...here, port: 9 } }));
  await pty.waitFor(/^fail .* http +gone/m, 20_000);
  process.kill(pty.pid, "SIGTERM");
  expect((await pty.exit).code).toBe(143);
  expect(pty.raw()).toContain("\u001b[?25h\u001b[?1049l");
});

test("who has answered nothing yet, and whoever is silent, is not well; leaving does not wait for it", async () => {
  const silent = await startScripted(() => undefined);
  try {
    const pty = watch(configOf({ silent: { kind: "monit", ...here, port: silent.port } }));
    await pty.waitFor(/^unknown +0 s +monit +silent +not heard of yet$/m, 20_000);
    const begun = performance.now();
    pty.type("q");
    expect((await pty.exit).code).toBe(3);
    expect(performance.now() - begun).toBeLessThan(5_000);
  } finally {
    await silent.stop();
  }
});

test("what does not fit is told of: the worst stays, whatever the size", async () => {
  const page = await startScripted(answerWith(httpAnswer(200, "hello")));
  try {
    const pages = Array.from({ length: 30 }, (_, index) => [
      `page-${String(index).padStart(2, "0")}`,
      { kind: "http" as const, ...here, port: page.port },
    ]);
    const config = configOf({
      ...Object.fromEntries(pages),
      gone: { kind: "http", ...here, port: 9 },
    });
    const pty = watch(config);
    await pty.waitFor("and 16 more well", 20_000);
    expect(pty.screen().split("\n")).toHaveLength(20);
    expect(pty.screen().split("\n")[2]).toMatch(/^fail .* gone/);
    pty.resize(40, 8);
    await pty.waitFor("and 28 more well", 10_000);
    const longest = (): number =>
      Math.max(
        ...pty
          .screen()
          .split("\n")
          .map(({ length }) => length),
      );
    // The wider lines are overwritten one by one.
    await expect.poll(longest, { timeout: 5_000 }).toBeLessThan(40);
    const lines = pty.screen().split("\n");
    expect(lines).toHaveLength(8);
    expect(lines[2]).toMatch(/^fail .*gone/);
    pty.resize(120, 40);
    await pty.waitFor((text) => text.includes("page-29") && !text.includes("more well"), 10_000);
    pty.type("q");
    expect((await pty.exit).code).toBe(4);
    const quiet = watch(config, {}, "-q");
    await quiet.waitFor(/^1 fail, 30 ok/m, 20_000);
    expect(quiet.screen()).not.toContain("page-");
    quiet.type("q");
    await quiet.exit;
  } finally {
    await page.stop();
  }
});

// What takes its time because it is asked again when it is due; they wait beside each other.
describe.concurrent("over a while", () => {
  testWith("redis")(
    "what dies is seen, and the terminal is left as it was",
    { timeout: 90_000 },
    async () => {
      const cache = await ground.start([]);
      const config = configOf({
        cache: { kind: "redis", ...here, port: cache.port },
        gone: { kind: "http", ...here, port: 9 },
      });
      const pty = watch(config, { showsMode: true });
      await pty.waitFor(/^ok +\d+ \w+ +redis +cache +uses/m, 20_000);
      const lines = pty.screen().split("\n");
      expect(lines[0]).toMatch(/^1 fail, 1 ok, at \d\d:\d\d:\d\d$/);
      expect(lines[1]).toMatch(/^STATE +AGE +AREA +NAME +WHAT$/);
      expect(lines[2]).toMatch(/^fail .* http +gone /);
      expect(lines.at(-1)).toBe("q leaves");
      await cache.kill();
      await pty.waitFor(/^fail +\d+ s +redis +cache +.*REFUSED/m, 30_000);
      pty.type("q");
      expect((await pty.exit).code).toBe(4);
      const left = pty.text();
      expect(left).toContain("lcops: 2 fail: redis cache, http gone");
      // Of the panel nothing is left, and the cursor and the modes are as they were.
      expect(left).not.toContain("q leaves");
      expect(isLeftRaw(left)).toBe(false);
      const [entered, leftAt] = ["h\u001b[?25l", "l"].map((end) =>
        pty.raw().indexOf(`\u001b[?1049${end}`),
      );
      expect(entered).toBeGreaterThanOrEqual(0);
      expect(leftAt).toBeGreaterThan(entered ?? 0);
      expect(pty.raw()).toContain("\u001b[?25h");
    },
  );

  testWith("monit")(
    "what falls silent shows what it said last, with its age, and is unknown until it answers again",
    { timeout: 90_000 },
    async () => {
      const port = await ground.pickPort();
      const lines = [
        "set daemon 1",
        ...["pid", "id", "state"].map((name) => `set ${name}file ${ground.folder}/monit-${name}`),
        `set httpd port ${port} and use address 127.0.0.1`,
        '  allow admin:"pass"',
        "check file hosts with path /etc/hosts",
        "",
      ];
      const file = ground.writeFile("monitrc", lines.join("\n"));
      const monit = spawn("monit", ["-I", "-c", file], { stdio: "ignore" });
      try {
        const password = `\${file:${ground.writeFile("monit-password", "pass\n")}}` as const;
        const pty = watch(
          configOf({ own: { kind: "monit", ...here, port, user: "admin", password } }),
        );
        await pty.waitFor(/^ok .* monit +own\/hosts/m, 30_000);
        monit.kill("SIGSTOP");
        const said = await pty.waitFor(
          /^unknown .* monit +own\/hosts +no answer within 10 s; \d+ s ago ok: file: as it/m,
          40_000,
        );
        expect(said).not.toMatch(/^ok /m);
        const age = Number(/ (\d+) s ago ok: file/.exec(said)?.[1]);
        await pty.waitFor(`${age + 2} s ago ok: file`, 10_000);
        monit.kill("SIGCONT");
        await pty.waitFor(/^3 ok, [^]*^ok .* own\/hosts +file: as it should be$/m, 30_000);
        pty.type("q");
        expect((await pty.exit).code).toBe(0);
      } finally {
        monit.kill("SIGKILL");
      }
    },
  );

  testWith("hosts", "monit")(
    "a host that is cut off, comes back and then hangs is not green, nor is what is behind it",
    { timeout: 150_000 },
    async () => {
      const host = ground.lab.hosts["WorkerStats"];
      const monit = ground.config.services?.["worker-monit"];
      if (!host || !monit) throw new Error("the lab has them");
      const relay = await startRelay({ host: host.address, port: host.port });
      const { configFile } = ground.writeSshConfig([
        knownHostLine(host.hostKeyFile, relay.address, relay.port),
      ]);
      const config = configOf({ "worker-monit": monit }, (changed) => {
        changed.ssh = { configFile };
        Object.assign(changed.hosts?.["WorkerStats"] ?? {}, {
          address: { eip: relay.address },
          port: relay.port,
        });
      });
      try {
        const pty = watch(config, { columns: 160 });
        await pty.waitFor(/ok .* host +WorkerStats [^]*ok .* monit +worker-monit\/sshd/m, 30_000);
        relay.refuse(true);
        relay.reset();
        const cut = await pty.waitFor(
          /^fail .* host +WorkerStats [^]*^unknown .* monit +worker-monit\/sshd .* ago ok: /m,
          60_000,
        );
        expect(cut).not.toMatch(/^ok .* monit /m);
        relay.refuse(false);
        await pty.waitFor(/^ok .* host +WorkerStats [^]*^ok .* monit +worker-monit\/sshd/m, 60_000);
        relay.stall();
        const hung = await pty.waitFor(
          /^fail .* host +WorkerStats .*no answer within 10 s[^]*^unknown .* monit +worker-monit\/sshd .* ago ok: /m,
          60_000,
        );
        expect(hung).not.toMatch(/^ok .* (host|monit) /m);
        const begun = performance.now();
        pty.type("q");
        expect((await pty.exit).code).toBe(4);
        expect(performance.now() - begun).toBeLessThan(8_000);
      } finally {
        await relay.close();
      }
    },
  );
});

/** Given lines of carbon's plaintext protocol, have them stored. */
function feed(lines: readonly string[]): Promise<void> {
  const { linePort = 0 } = ground.lab.services.graphite ?? {};
  return new Promise((resolve, reject) => {
    const socket = connect(linePort, "127.0.0.1");
    socket.on("error", reject).on("close", () => resolve());
    socket.end(`${lines.join("\n")}\n`);
  });
}

testWith("hosts", "graphite")(
  "sparklines are drawn from Graphite, beside the host that they are of",
  { timeout: 60_000 },
  async () => {
    const { graphite } = ground.config.services ?? {};
    if (graphite?.kind !== "graphite") throw new Error("the lab has a Graphite");
    const now = Math.floor(Date.now() / 60_000) * 60;
    await feed(
      Array.from({ length: 50 }, (_, index) => [
        `health.watch.GraphStats.load ${index / 10} ${now - (50 - index) * 60}`,
        `health.watch.logins ${2000 + index} ${now - (50 - index) * 60}`,
      ]).flat(),
    );
    const metrics = {
      lines: { load: "health.watch.{host}.load", logins: "health.watch.logins", none: "no.such" },
    };
    const pty = watch(configOf({ graphite: { ...graphite, metrics } }), { columns: 160 });
    const text = await pty.waitFor(
      (shown) =>
        shown.startsWith("3 ok") &&
        /GraphStats .* load [ ▁-█]+/.test(shown) &&
        /logins [ ▁-█]+ 2.05K/.test(shown),
      40_000,
    );
    expect(text).toMatch(/^ok .* host +GraphStats +lets in.* load +▁[▁-▇]+█+ +4\.[89]\d?$/m);
    expect(text).toMatch(/LAST HOUR$/m);
    expect(text).not.toContain("none ");
    pty.type("q");
    expect((await pty.exit).code).toBe(0);
  },
);

testWith("hosts", "graphite")("Graphite tells the day on which a disk is full", async () => {
  const { graphite } = ground.config.services ?? {};
  if (graphite?.kind !== "graphite") throw new Error("the lab has a Graphite");
  const ask = async (
    metrics: object,
  ): Promise<ShownReading & { usedBytes: number; totalBytes: number }> => {
    const config = configOf({ graphite: { ...graphite, metrics } });
    const { stdout } = await runLcops(["health", "--json", "--config", config], {
      environment: ground.environment,
    });
    const { readings } = JSON.parse(stdout) as { readings: ShownReading[] };
    const found = readings.find(({ name }) => name === "GraphStats:/");
    if (!found) throw new Error(stdout);
    return found as ShownReading & { usedBytes: number; totalBytes: number };
  };
  const { fullOn, usedBytes, totalBytes } = await ask({});
  expect(fullOn).toBeUndefined();
  // It grows by the fiftieth part of what is left, a day, for six days.
  const perDay = (totalBytes - usedBytes) / 50;
  const now = Math.floor(Date.now() / 60_000) * 60;
  const points = Array.from({ length: 6 * 24 }, (_, hour) => ({
    at: now - hour * 3_600,
    used: usedBytes - (hour / 24) * perDay,
  }));
  await feed(
    points.flatMap(({ at, used }) => [
      `health.disks.GraphStats.root.used ${used} ${at}`,
      `health.disks.GraphStats.root.free ${totalBytes - used} ${at}`,
      `health.disks.GraphStats.root.other ${used / 3} ${at}`,
    ]),
  );
  const pattern = (what: string): string => `health.disks.{host}.{mount}.${what}`;
  const day = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  // Others write on this disk too, and carbon stores a little later.
  await expect
    .poll(async () => (await ask({ diskUsed: pattern("used") })).fullOn, { timeout: 15_000 })
    .toBeDefined();
  for (const metrics of [{ diskUsed: pattern("used") }, { diskFree: pattern("free") }]) {
    const found = await ask(metrics);
    const near = [48, 49, 50, 51, 52].map(day);
    expect(near).toContain(found.fullOn);
    expect(found.state).not.toBe("fail");
  }
  // What does not say what df says is something else's.
  if (usedBytes > totalBytes / 6)
    expect((await ask({ diskUsed: pattern("other") })).fullOn).toBeUndefined();
});
