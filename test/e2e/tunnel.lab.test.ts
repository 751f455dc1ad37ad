import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect } from "vitest";
import { startRelay, type Relay } from "../lab/relay.ts";
import { isListening, knownHostLine, makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { until } from "../support/until.ts";
import { runLcops, startLcops, startProgram, type RunningLcops } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const start = (...args: string[]): RunningLcops =>
  startLcops(args, { environment: ground.environment });

/** A relay before TextLogs, and a configuration that goes through it. */
async function relayTextLogs(): Promise<{ relay: Relay; config: string }> {
  const host = ground.lab.hosts["TextLogs"];
  if (!host) throw new Error("there is no TextLogs");
  const relay = await startRelay({ host: host.address, port: host.port });
  const { configFile } = ground.writeSshConfig([
    knownHostLine(host.hostKeyFile, relay.address, relay.port),
  ]);
  const config = ground.deriveConfig((changed) => {
    changed.ssh = { configFile };
    Object.assign(changed.hosts?.["TextLogs"] ?? {}, {
      address: { eip: relay.address },
      port: relay.port,
    });
  });
  return { relay, config };
}

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")")).split(" ")[2] === String(pid)
          ? [Number(entry)]
          : [];
      } catch {
        return [];
      }
    });
}

/** The record of a tunnel, whose name carries what it leads to as well. */
const recordOf = (name: string): string | undefined => {
  const folder = `${ground.folder}/home/.local/state/lcops/run/tunnels`;
  const entries = existsSync(folder) ? readdirSync(folder) : [];
  const found = entries.find((entry) => entry.startsWith(`${name}-`) && entry.endsWith(".json"));
  return found === undefined ? undefined : `${folder}/${found}`;
};

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  testWith("kibana")(`${signal} ends an open tunnel with ${code}, and nothing stays`, async () => {
    const tunnel = start("tunnel", "open", "kibana");
    await tunnel.waitFor(/^kibana {2}http:\/\/localhost:\d+\/ {2}ready \(.*\)$/m);
    expect(await isListening(ground.portOf("kibana"))).toBe(true);
    expect(recordOf("kibana")).toBeDefined();
    tunnel.send(signal);
    expect(await tunnel.ended).toMatchObject({ code, signal: null, stderr: "" });
    expect(await isListening(ground.portOf("kibana"))).toBe(false);
    expect(recordOf("kibana")).toBeUndefined();
  });

  testWith("hosts")(`${signal} ends a tunnel that is still connecting`, async () => {
    const { relay, config } = await relayTextLogs();
    relay.stall();
    const tunnel = start("tunnel", "open", "kibana", "-v", "--config", config);
    await tunnel.waitFor(/listening/);
    tunnel.send(signal);
    expect((await tunnel.ended).code).toBe(code);
    expect(await isListening(ground.portOf("kibana"))).toBe(false);
    await relay.close();
  });
}

testWith("bastion")("SIGTERM ends the command behind a tunnel, and a ProxyCommand", async () => {
  const port = await ground.pickPort();
  const config = ground.deriveConfig((changed) => {
    changed.hosts ??= {};
    changed.hosts["db-admin-proxy"] = {};
    changed.services ??= {};
    changed.services["own"] = {
      kind: "http",
      host: "db-admin-proxy",
      port: ground.lab.hosts["db-admin"]?.port ?? 0,
      localPort: port,
    };
    // Its own sshd is no http: the tunnel stays silent, and open.
  });
  const silent = start("tunnel", "open", "own", "--config", config);
  await silent.waitFor(/the service is silent/);
  const proxies = childrenOf(silent.pid);
  expect(proxies).toHaveLength(1);
  silent.send("SIGTERM");
  const stopped = await silent.ended;
  expect(stopped.code).toBe(143);
  // What the stop makes fail is no news.
  expect(stopped.stderr).not.toMatch(/^lcops:/m);
  for (const pid of proxies) expect(existsSync(`/proc/${pid}`)).toBe(false);

  const busy = start("tunnel", "open", "kibana", "--", "sh", "-c", "echo begun; exec sleep 60");
  await busy.waitFor(/begun/);
  const children = childrenOf(busy.pid);
  expect(children).toHaveLength(1);
  busy.send("SIGTERM");
  expect((await busy.ended).code).toBe(143);
  for (const pid of children) expect(existsSync(`/proc/${pid}`)).toBe(false);
});

testWith("kibana")(
  "SIGINT to lcops alone stops the command behind a tunnel, with its children",
  async () => {
    const script = "sleep 60 & echo begun $!; wait";
    const busy = start("tunnel", "open", "kibana", "--", "sh", "-c", script);
    const [, child = ""] = /begun (\d+)/.exec(await busy.waitFor(/begun \d+/)) ?? [];
    expect(existsSync(`/proc/${child}`)).toBe(true);
    busy.send("SIGINT");
    expect((await busy.ended).code).toBe(130);
    // The signal was sent; the kernel may still carry it out, and the new parent may not have reaped it yet.
    await until(`the end of ${child}`, () => {
      const path = `/proc/${child}/stat`;
      return !existsSync(path) || /^\d+ \(\w+\) Z/.test(readFileSync(path, "utf8"));
    });
  },
);

testWith("kibana")(
  "Ctrl-C ends an open tunnel in a terminal, which is left as it was",
  async () => {
    const pty = openPty(["tunnel", "open", "kibana"], {
      environment: ground.environment,
      showsMode: true,
    });
    await pty.waitFor("ready (");
    pty.press("ctrl-c");
    expect((await pty.exit).code).toBe(130);
    expect(isLeftRaw(pty.text())).toBe(false);
  },
);

testWith("kibana", "elasticsearch")("two tunnels of one host share a connection", async () => {
  const { relay, config } = await relayTextLogs();
  const words = ["tunnel", "open", "kibana", "elasticsearch", "-v", "--config", config];
  const { code, stderr } = await runLcops([...words, "--", "true"], {
    environment: ground.environment,
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^kibana .* ready .*$/m);
  expect(stderr).toMatch(/^elasticsearch .* ready .*$/m);
  expect(relay.counters().connections).toBe(1);
  await relay.close();
});

testWith("kibana")("the command is told the port, and reaches the service there", async () => {
  const script = `fetch("http://127.0.0.1:" + process.env.LCOPS_PORT).then((r) => r.text()).then((t) => console.log(process.env.LCOPS_PORT, t))`;
  const words = ["tunnel", "open", "kibana", "elasticsearch", "--", "node", "-e", script];
  const { code, stdout } = await runLcops(words, { environment: ground.environment });
  expect(code).toBe(0);
  expect(stdout).toContain(`${ground.portOf("kibana")} <!doctype html>`);
});

testWith("kibana")("ends with who reads what it tells", async () => {
  const script = '"$@" | head -1; echo "code ${PIPESTATUS[0]}"';
  const words = [process.execPath, LCOPS, "tunnel", "open", "kibana", "--json"];
  const { stdout } = await startProgram("bash", ["-c", script, "bash", ...words], {
    environment: ground.environment,
    timeoutMs: 30_000,
  }).ended;
  expect(stdout).toMatch(/^\{"event":"listening".*\}\ncode 0\n$/);
});

testWith("kibana")("--json tells each event on a line, -q says nothing", async () => {
  const tunnel = start("tunnel", "open", "kibana", "--json");
  await tunnel.waitFor(/"ready"/);
  tunnel.send("SIGTERM");
  const events = (await tunnel.ended).stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; port?: number });
  expect(events.map(({ event }) => event)).toEqual(["listening", "connected", "ready"]);
  expect(events.at(-1)).toMatchObject({ name: "kibana", port: ground.portOf("kibana") });
  const quiet = await runLcops(["tunnel", "open", "kibana", "-q", "--", "true"], {
    environment: ground.environment,
  });
  expect(quiet).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
});

testWith("hosts")(
  "a service that is stopped is told as silent, with the host's reason, and is ready when it comes",
  async () => {
    const [port, localPort] = [await ground.pickPort(), await ground.pickPort()];
    const config = ground.deriveConfig((changed) => {
      changed.services ??= {};
      changed.services["late"] = { kind: "http", host: "GraphStats", port, localPort };
    });
    const tunnel = start("tunnel", "open", "late", "--config", config);
    await tunnel.waitFor(
      /^late: the tunnel is up, the service is silent: GraphStats .* SSH is fine, but 127.0.0.1:\d+ cannot be reached from there: Connection refused$/m,
    );
    const server = createServer((_request, response) => response.end("here"));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    expect((server.address() as AddressInfo).port).toBe(port);
    await tunnel.waitFor(/^late {2}http:\/\/localhost:\d+\/ {2}ready/m);
    tunnel.send("SIGTERM");
    const { stderr } = await tunnel.ended;
    // Said once, however often it was asked.
    expect(stderr.match(/silent/g)).toHaveLength(1);
    await new Promise((resolve) => server.close(resolve));
  },
);

testWith("kibana")(
  "a tunnel whose connection is lost connects again, and serves on the same port what came meanwhile",
  async () => {
    const { relay, config } = await relayTextLogs();
    const tunnel = start("tunnel", "open", "kibana", "--config", config);
    await tunnel.waitFor(/ready \(/);
    relay.refuse(true);
    relay.reset();
    await tunnel.waitFor(/^kibana: TextLogs .* lost after .*; trying again$/m);
    // It waits in the tunnel, not in vain.
    const page = fetch(`http://127.0.0.1:${ground.portOf("kibana")}/`);
    relay.refuse(false);
    expect((await page).status).toBe(200);
    await tunnel.waitFor(/^kibana: connected to 127.0.0.1 again$/m);
    tunnel.send("SIGTERM");
    const { code, stderr } = await tunnel.ended;
    expect(code).toBe(143);
    // Said once, however many tries it took.
    expect(stderr.match(/trying again/g)).toHaveLength(1);
    await relay.close();
  },
);

testWith("kibana")("a failure that only the operator can mend is dialled once", async () => {
  const { relay, config } = await relayTextLogs();
  const tunnel = start("tunnel", "open", "kibana", "--config", config);
  await tunnel.waitFor(/ready \(/);
  // Its key is no longer the one that was seen.
  const { ssh = {} } = JSON.parse(readFileSync(config, "utf8")) as {
    ssh?: { configFile?: string };
  };
  const folder = (ssh.configFile ?? "").replace(/config$/, "");
  const other = ground.lab.hosts["GraphStats"]?.hostKeyFile ?? "";
  writeFileSync(`${folder}known_hosts`, knownHostLine(other, relay.address, relay.port));
  const before = relay.counters().connections;
  relay.reset();
  const { code, stderr } = await tunnel.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^lcops: .*TextLogs.*host key.*$/m);
  expect(relay.counters().connections).toBe(before + 1);
  expect(await isListening(ground.portOf("kibana"))).toBe(false);
  await relay.close();
});

testWith("kibana")("what kill -9 leaves behind stands in nobody's way", async () => {
  const killed = start("tunnel", "open", "kibana");
  await killed.waitFor(/ready \(/);
  killed.send("SIGKILL");
  expect((await killed.ended).signal).toBe("SIGKILL");
  expect(recordOf("kibana")).toBeDefined();
  const next = await runLcops(["tunnel", "open", "kibana", "--", "true"], {
    environment: ground.environment,
  });
  expect(next.code).toBe(0);
  expect(recordOf("kibana")).toBeUndefined();
});
