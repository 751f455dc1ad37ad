import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { upgradeHost, type UpgradedHost } from "../../src/fleet/upgrade-host.ts";
import { dropState, readState, resetHost, setState, writePrograms } from "../lab/fleet-programs.ts";
import { type Relay, startRelay } from "../lab/relay.ts";
import { sshdMissing } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { type FleetGround, type FleetHost, makeFleetGround } from "../support/fleet-ground.ts";

/** Where the relay before the sshd listens, at the port of that one: another address of the same machine. */
const BEFORE = "127.0.96.1";

let ground: FleetGround;
let host: FleetHost;
let relay: Relay;
let address: string;
let jobs = 0;
beforeAll(async () => {
  if (sshdMissing) return;
  ground = await makeFleetGround({
    names: ["api-1"],
    variables: ({ folder }) => writePrograms(folder),
  });
  const [only] = ground.hosts;
  if (!only) throw new Error("there is a host");
  host = only;
  const { port } = host.sshd;
  relay = await startRelay({ host: host.sshd.address, port, listen: { address: BEFORE, port } });
  ground.ground.onStop(relay.close);
  ground.trust(host.sshd.knownHosts, port, BEFORE);
});
afterAll(() => ground?.stop());
beforeEach(() => {
  if (sshdMissing) return;
  resetHost(host.folder);
  relay.refuse(false);
  address = BEFORE;
});

const upgrade = (patienceMs: number): Promise<UpgradedHost> => {
  const named = { name: "api-1", sources: ["config" as const], port: host.sshd.port };
  const { signal } = new AbortController();
  return upgradeHost(
    { label: "api-1", host: named },
    {
      reach: {
        configPath: "/lcops.config.json",
        configFile: `${ground.ground.folder}/ssh_config`,
        hosts: [named],
        environment: ground.environment,
        signal,
        lookUp: () => Promise.resolve({ address }),
        note: () => undefined,
        trace: () => undefined,
      },
      job: `upgrade-test-${jobs++}`,
      reboots: true,
      patienceMs,
      failedUnits: [],
      signal,
      onStep: () => undefined,
    },
  );
};
const looked = (): number => readState(host.folder, "looked").split("\n").filter(Boolean).length;
const has = (file: string): boolean => readState(host.folder, file) !== "";

describe.skipIf(sshdMissing)("an upgrade of one host", { timeout: 60_000 }, () => {
  test("whose lock is held for ever is unknown once the patience is over, and its job goes on", async () => {
    setState(host.folder, "locked");
    expect(await upgrade(4_000)).toEqual({
      state: "unknown",
      why: "its upgrade has not ended; given up after 4 s",
    });
    dropState(host.folder, "locked");
    await until("it has ended by itself", () => has("installed"), 15_000);
  });

  test("that never comes back from its reboot is unknown", async () => {
    setState(host.folder, "upgradable", "linux-image-6.1 1 2\n");
    const upgrading = upgrade(4_000);
    await until("it reboots", () => has("reboots"), 15_000);
    relay.refuse(true);
    relay.cut();
    const { state, why } = await upgrading;
    expect(state).toBe("unknown");
    expect(why).toMatch(/given up after 4 s$/);
  });

  test("is found where it is after its reboot", async () => {
    setState(host.folder, "upgradable", "linux-image-6.1 1 2\n");
    const upgrading = upgrade(30_000);
    await until("it reboots", () => has("reboots"), 15_000);
    relay.refuse(true);
    relay.cut();
    address = host.sshd.address;
    expect(await upgrading).toEqual({ state: "done" });
  });

  test("that answers with the same boot id has not rebooted", async () => {
    setState(host.folder, "upgradable", "linux-image-6.1 1 2\n");
    setState(host.folder, "same-boot");
    expect(await upgrade(4_000)).toEqual({
      state: "unknown",
      why: "it has not come back with another boot id, and started to the end; given up after 4 s",
    });
    expect(readState(host.folder, "reboots").trim().split("\n")).toHaveLength(1);
  });

  test("is judged once it has started after its reboot, not while it does", async () => {
    setState(host.folder, "upgradable", "linux-image-6.1 1 2\n");
    setState(host.folder, "system", "starting\n");
    const upgrading = upgrade(30_000);
    await until("it reboots", () => has("reboots"), 15_000);
    const before = looked();
    // The first of two may have been under way.
    await until("it is looked at behind its reboot", () => looked() > before + 1, 15_000);
    setState(host.folder, "failed-units", "nginx.service loaded failed\n");
    setState(host.folder, "system", "degraded\n");
    expect(await upgrading).toEqual({ state: "failed", why: "failed since: nginx.service" });
  });

  test("whose job was written and never begun has failed, and cannot begin later", async () => {
    setState(host.folder, "hurry");
    const job = `${host.folder}/home/.local/state/lcops/upgrade-test-${jobs}`;
    mkdirSync(job, { recursive: true });
    writeFileSync(`${job}/boot`, readState(host.folder, "boot-id"));
    writeFileSync(`${job}/job`, "apt-get upgrade\n");
    expect(await upgrade(50_000)).toEqual({
      state: "failed",
      why: "its upgrade has not begun there",
    });
    expect(existsSync(`${job}/job`)).toBe(false);
  });

  test("whose disk is full has nothing begun there, and is begun once there is room", async () => {
    setState(host.folder, "full");
    const upgrading = upgrade(30_000);
    await until("it is tried", () => has("was-full"), 15_000);
    expect(has("begun")).toBe(false);
    dropState(host.folder, "full");
    expect(await upgrading).toEqual({ state: "done" });
    expect(readState(host.folder, "begun").trim().split("\n")).toHaveLength(1);
  });

  test("is upgraded by a user who is not root, and by root's own umask", async () => {
    setState(host.folder, "no-root");
    setState(host.folder, "needs-restart", "NEEDRESTART-SVC: nginx.service\n");
    expect(await upgrade(30_000)).toEqual({ state: "done" });
    expect(readState(host.folder, "by-sudo")).toMatch(/^setsid$/m);
    expect(readState(host.folder, "umask")).toBe("0022\n");
  });
});
