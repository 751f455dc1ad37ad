import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import type { ShownReading } from "../../src/commands/health/describe-readings.ts";
import type { Config } from "../../src/config/schema.ts";
import type { SupervisedTunnel } from "../../src/tunnels/control-protocol.ts";
import { startRelay, type Relay } from "../lab/relay.ts";
import { until } from "../support/until.ts";
import { isListening, knownHostLine, makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { runLcops, startLcops, type LcopsResult } from "../support/run-lcops.ts";

/** Each test has a supervisor of its own. */
let ground: Ground;
let relay: Relay;
let config: string;
beforeEach(async () => {
  ground = await makeGround();
  const host = ground.lab.hosts["TextLogs"];
  if (!host) return;
  relay = await startRelay({ host: host.address, port: host.port });
  const line = knownHostLine(host.hostKeyFile, relay.address, relay.port);
  const { configFile } = ground.writeSshConfig([line]);
  config = ground.deriveConfig((changed) => {
    changed.ssh = { configFile };
    Object.assign(changed.hosts?.["TextLogs"] ?? {}, {
      address: { eip: relay.address },
      port: relay.port,
    });
  });
});
afterEach(async () => {
  await lcops("tunnel", "close", "--all");
  await relay?.close();
  ground.remove();
});

const lcops = (...words: string[]): Promise<LcopsResult> =>
  runLcops(["--config", config, ...words], { environment: ground.environment });
const list = async (): Promise<SupervisedTunnel[]> =>
  JSON.parse((await lcops("tunnel", "list", "--json")).stdout) as SupervisedTunnel[];
const stateOf = async (name: string): Promise<string | undefined> =>
  (await list()).find((one) => one.name === name)?.state;
const socket = (): string => path.join(ground.folder, "home/.local/state/lcops/run/tunnels.sock");
const page = async (name = "kibana"): Promise<number> =>
  (await fetch(`http://127.0.0.1:${ground.portOf(name)}/`)).status;
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
const ask = (line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = "";
    const asking = net.connect(socket());
    asking.on("error", reject);
    asking.on("data", (data) => (said += data.toString()));
    asking.on("close", () => resolve(said));
    asking.write(line);
  });

testWith("kibana")("health says how a tunnel is, and since when", async () => {
  const only = ground.deriveConfig((changed) => {
    Object.assign(changed, JSON.parse(readFileSync(config, "utf8")));
    const { TextLogs } = changed.hosts ?? {};
    const { kibana } = changed.services ?? {};
    if (!TextLogs || !kibana) throw new Error("the lab has them");
    changed.hosts = { TextLogs };
    changed.services = { kibana };
    for (const environment of Object.values(changed.environments ?? {})) delete environment.aws;
    for (const key of ["backups", "consistency", "menu", "workstation"] as const)
      delete changed[key];
  });
  const inHealth = async (): Promise<Partial<ShownReading> | undefined> => {
    const { stdout } = await lcops("health", "--json", "--config", only);
    const { readings } = JSON.parse(stdout) as { readings: ShownReading[] };
    return readings.find(({ area }) => area === "tunnel");
  };
  expect(await inHealth()).toBeUndefined();
  expect(await lcops("tunnel", "open", "--detach", "kibana", "--config", only)).toMatchObject({
    code: 0,
  });
  const well = await inHealth();
  expect(well).toMatchObject({
    name: "kibana",
    state: "ok",
    detail: expect.stringMatching(/^up at http:.*HTTP 200$/),
  });
  relay.refuse(true);
  relay.cut();
  await until("it is lost", async () => (await inHealth())?.state !== "ok", 20_000);
  const ill = await inHealth();
  expect(ill?.state).not.toBe("ok");
  expect(Date.parse(ill?.since ?? "")).toBeGreaterThan(Date.parse(well?.since ?? ""));
  relay.refuse(false);
  await lcops("tunnel", "retry", "kibana");
  await until("it is back", async () => (await inHealth())?.state === "ok", 20_000);
});

testWith("kibana", "elasticsearch")(
  "--detach returns once they are ready; they live on, are listed, and the supervisor ends with the last",
  async () => {
    const opened = await lcops("tunnel", "open", "--detach", "kibana", "elasticsearch");
    // As cron likes it.
    expect(opened).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    expect(await page()).toBe(200);
    const tunnels = await list();
    expect(tunnels).toMatchObject([
      {
        name: "kibana",
        state: "up",
        port: ground.portOf("kibana"),
        host: "TextLogs",
        address: relay.address,
        reconnects: 0,
        health: { answers: true, detail: "HTTP 200" },
      },
      { name: "elasticsearch", state: "up" },
    ]);
    expect(tunnels[0]?.receivedBytes).toBeGreaterThan(100);
    // Entries of one host share a connection.
    expect(relay.counters().connections).toBe(1);
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    // Again: nothing to do.
    expect((await lcops("tunnel", "open", "--detach", "kibana")).code).toBe(0);
    expect(relay.counters().connections).toBe(1);
    // A command uses what is open.
    const used = await lcops("tunnel", "open", "kibana", "--", "sh", "-c", "echo $LCOPS_PORT");
    expect(used).toMatchObject({ code: 0, stdout: `${ground.portOf("kibana")}\n` });
    expect(await lcops("tunnel", "open", "kibana")).toMatchObject({ code: 5 });

    const pid = tunnels[0]?.pid ?? 0;
    expect((await lcops("tunnel", "close", "kibana")).code).toBe(0);
    expect(await isListening(ground.portOf("kibana"))).toBe(false);
    expect(await page("elasticsearch")).toBe(200);
    expect((await lcops("tunnel", "close", "elasticsearch")).code).toBe(0);
    await until("the supervisor has ended", () => !isAlive(pid) && !existsSync(socket()));
    expect(relay.counters().open).toBe(0);
    expect(await lcops("tunnel", "close", "kibana")).toMatchObject({ code: 2 });
    expect(await list()).toEqual([]);
    const { stdout } = await lcops("tunnel", "logs", "kibana");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.replace(/^\S+Z {2}/, "")),
    ).toEqual([
      `kibana: listening on port ${ground.portOf("kibana")}`,
      `kibana: connected to ${relay.address}`,
      `kibana: http://localhost:${ground.portOf("kibana")}/  ready (HTTP 200)`,
      "kibana: closed",
    ]);
  },
);

testWith("kibana", "elasticsearch")(
  "two that are started at once start one supervisor",
  async () => {
    const both = await Promise.all([
      lcops("tunnel", "open", "--detach", "kibana"),
      lcops("tunnel", "open", "--detach", "elasticsearch"),
    ]);
    expect(both.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual(["0 ", "0 "]);
    const tunnels = await list();
    expect(tunnels.map(({ name }) => name).toSorted()).toEqual(["elasticsearch", "kibana"]);
    expect(new Set(tunnels.map(({ pid }) => pid)).size).toBe(1);
  },
);

testWith("kibana")(
  "what kill -9 leaves of a supervisor stands in nobody's way, and a pid of another program is no supervisor",
  async () => {
    await lcops("tunnel", "open", "--detach", "kibana");
    const [tunnel] = await list();
    process.kill(tunnel?.pid ?? 0, "SIGKILL");
    await until("it is gone", () => !isAlive(tunnel?.pid ?? 0));
    expect(existsSync(socket())).toBe(true);
    expect(await lcops("tunnel", "list")).toMatchObject({ code: 0, stdout: "" });
    expect((await lcops("tunnel", "open", "--detach", "kibana")).code).toBe(0);
    const [next] = await list();
    expect(next).toMatchObject({ state: "up" });
    expect(next?.pid).not.toBe(tunnel?.pid);
    expect(await page()).toBe(200);
  },
);

testWith("kibana")(
  "a tunnel of another configuration is told from one that there is not",
  async () => {
    await lcops("tunnel", "open", "--detach", "kibana");
    const other = ground.deriveConfig(() => {});
    const inOther = (...words: string[]): Promise<LcopsResult> =>
      runLcops(["--config", other, ...words], { environment: ground.environment });
    for (const words of [
      ["close", "kibana"],
      ["retry", "kibana"],
    ]) {
      const { code, stderr } = await inOther("tunnel", ...words);
      expect(code).toBe(2);
      expect(stderr).toBe(
        `lcops: no tunnel kibana is kept in the background; there is one of another configuration: --config ${config}\n`,
      );
    }
    expect((await inOther("tunnel", "close", "elasticsearch")).stderr).toMatch(/open it with/);
    expect((await lcops("tunnel", "close", "elasticsearch")).stderr).toMatch(
      /; there is kibana\n$/,
    );
    expect(await stateOf("kibana")).toBe("up");
  },
);

testWith("kibana")("a control socket that is taken away is put back", async () => {
  await lcops("tunnel", "open", "--detach", "kibana");
  rmSync(socket());
  await until("it is back", () => existsSync(socket()), 15_000);
  expect(await stateOf("kibana")).toBe("up");
});

testWith("kibana")(
  "a request of another version is refused, nonsense too, and both harm nothing",
  async () => {
    await lcops("tunnel", "open", "--detach", "kibana");
    expect(await ask('{"protocol":99,"ask":"close","names":[]}\n')).toMatch(
      /"kind":"refused".*another version/,
    );
    expect(await ask("GET / HTTP/1.1\n")).toContain('"error"');
    expect(await stateOf("kibana")).toBe("up");
  },
);

/** A configuration in which nothing listens where kibana should be. */
const deriveSilent = (): string =>
  ground.deriveConfig((changed) => {
    Object.assign(changed, JSON.parse(readFileSync(config, "utf8")) as Config);
    Object.assign(changed.services?.["kibana"] ?? {}, { port: 1 });
  });

testWith("kibana")("who waits for a tunnel that somebody else closes is told", async () => {
  const silent = deriveSilent();
  const opening = startLcops(["tunnel", "open", "--detach", "kibana", "--config", silent], {
    environment: ground.environment,
  });
  await opening.waitFor(/the service is silent/);
  expect((await lcops("tunnel", "close", "kibana", "--config", silent)).code).toBe(0);
  const { code, stderr } = await opening.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^lcops: the tunnel kibana was closed meanwhile$/m);
});

testWith("kibana")("who leaves before it is ready leaves nothing behind", async () => {
  const late = deriveSilent();
  const opening = startLcops(["tunnel", "open", "--detach", "kibana", "--config", late], {
    environment: ground.environment,
  });
  await opening.waitFor(/the service is silent/);
  opening.send("SIGINT");
  expect((await opening.ended).code).toBe(130);
  await until("the supervisor has ended", () => !existsSync(socket()));
  expect(await isListening(ground.portOf("kibana"))).toBe(false);
  const { stdout } = await lcops("tunnel", "logs", "kibana", "--config", late);
  expect(stdout).toMatch(/^\S+ {2}kibana: TextLogs .* cannot be reached from there: /m);
});

testWith("kibana")("what cannot be opened fails with its reason, and nothing stays", async () => {
  relay.refuse(true);
  const failed = await lcops("tunnel", "open", "--detach", "kibana");
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^lcops: TextLogs .*\n$/);
  expect(await lcops("tunnel", "open", "--detach", "nothing")).toMatchObject({ code: 2 });
  await until("the supervisor has ended", () => !existsSync(socket()));
});

testWith("kibana")(
  "an outage is waited out; a failure that only the operator can mend is dialled once, and retry wakes it",
  async () => {
    await lcops("tunnel", "open", "--detach", "kibana");
    relay.refuse(true);
    relay.reset();
    await until("it waits", async () => (await stateOf("kibana")) === "waiting");
    expect((await list())[0]?.reason).toMatch(/TextLogs/);
    const held = page();
    relay.refuse(false);
    expect(await held).toBe(200);
    expect((await list())[0]).toMatchObject({ state: "up", reconnects: 1 });

    const { ssh } = JSON.parse(readFileSync(config, "utf8")) as { ssh: { configFile: string } };
    const knownHosts = ssh.configFile.replace(/config$/, "known_hosts");
    const right = readFileSync(knownHosts, "utf8");
    const other = ground.lab.hosts["GraphStats"]?.hostKeyFile ?? "";
    writeFileSync(knownHosts, knownHostLine(other, relay.address, relay.port));
    const { connections } = relay.counters();
    relay.reset();
    await until("it has failed", async () => (await stateOf("kibana")) === "failed", 10_000);
    expect((await list())[0]?.reason).toMatch(/host key/);
    // Nobody is kept waiting for what does not come by itself.
    await expect(page()).rejects.toThrow("fetch failed");
    const retried = await lcops("tunnel", "retry", "kibana");
    expect(retried).toMatchObject({ code: 1 });
    expect(retried.stderr).toMatch(/^kibana: TextLogs .*host key.*; .*hosts trust TextLogs.*\n$/);
    expect(relay.counters().connections).toBe(connections + 2);
    writeFileSync(knownHosts, right);
    expect(await lcops("tunnel", "retry", "kibana")).toMatchObject({ code: 0 });
    expect(relay.counters().connections).toBe(connections + 3);
    expect(await page()).toBe(200);
  },
);

testWith("kibana")(
  "a connection that died while the machine slept is noticed at once on waking, and made anew",
  async () => {
    await lcops("tunnel", "open", "--detach", "kibana");
    const [tunnel] = await list();
    // Not cut: a network that swallows all, as the old one does after a night.
    relay.stall();
    process.kill(tunnel?.pid ?? 0, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    process.kill(tunnel?.pid ?? 0, "SIGCONT");
    await until("it is missed", async () => (await stateOf("kibana")) !== "up", 12_000);
    relay.resume();
    await until("it is back", async () => (await stateOf("kibana")) === "up", 20_000);
    expect(await page()).toBe(200);
    expect((await lcops("tunnel", "logs", "kibana")).stdout).toMatch(/no sign of life for 5 s/);
  },
);

testWith("kibana")("a supervisor that is stopped is told from one that is gone", async () => {
  await lcops("tunnel", "open", "--detach", "kibana");
  const pid = (await list())[0]?.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  try {
    const { code, stdout, stderr } = await lcops("tunnel", "list");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^lcops: the supervisor of the tunnels does not answer; .*kill -CONT/);
    const opened = await lcops("tunnel", "open", "--detach", "kibana");
    expect(opened).toMatchObject({ code: 1, stderr });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  expect(await stateOf("kibana")).toBe("up");
  expect((await list())[0]?.pid).toBe(pid);
});

testWith("kibana")("a log that cannot be written takes no tunnel with it", async () => {
  // As where the disk is full.
  ground.writeFile("home/.local/state/lcops/tunnels", "in the way");
  expect((await lcops("tunnel", "open", "--detach", "kibana")).code).toBe(0);
  expect(await page()).toBe(200);
});

testWith("kibana")("a supervisor that cannot start says why, and does not stay", async () => {
  // Longer than the address of a socket may be.
  const state = path.join(ground.folder, "long/".repeat(30));
  const environment = { ...ground.environment, XDG_STATE_HOME: state };
  const words = ["tunnel", "open", "--detach", "kibana", "--config", config];
  // One that had stayed would stand in the second one's way.
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await runLcops(words, { environment });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^lcops: the supervisor of the tunnels cannot start: .* is too long a path for a socket.*\n$/,
    );
  }
});
