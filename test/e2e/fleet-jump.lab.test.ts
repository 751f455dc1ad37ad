import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readState, resetHost, setState, writePrograms } from "../lab/fleet-programs.ts";
import { type Relay, startRelay } from "../lab/relay.ts";
import { sshdMissing, startSshd, type TestSshd } from "../ssh/start-sshd.ts";
import { type FleetGround, makeFleetGround } from "../support/fleet-ground.ts";

const NAMES = Array.from({ length: 24 }, (_, index) => `api-${index + 1}`);

let ground: FleetGround;
let jump: TestSshd;
let relay: Relay;
beforeAll(async () => {
  if (sshdMissing) return;
  ground = await makeFleetGround({
    names: NAMES,
    variables: ({ folder }) => writePrograms(folder),
  });
  // As sshd is set when nobody sets it, but that it drops each one that is too many, and not a third of them.
  jump = await startSshd(ground.ground, "jump", {
    address: "127.0.89.1",
    settings: ["MaxStartups 10:100:10"],
  });
}, 120_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  if (sshdMissing) return;
  // Far enough that logins which are begun together are under way together.
  relay = await startRelay({ host: jump.address, port: jump.port, delayMs: 60 });
  ground.ground.onStop(relay.close);
  ground.trust(jump.knownHosts, relay.port);
  for (const { folder } of ground.hosts) resetHost(folder);
  ground.configure((config) => {
    config.fleet = { soakSeconds: 0, upgradeMinutes: 1 };
    const hosts = (config.hosts ??= {});
    hosts["jump"] = { environment: "dev", address: { eip: "127.0.0.1" }, port: relay.port };
    // Two of each role, each with a plan of its own: twelve canaries at once.
    for (const [index, { name, folder }] of ground.hosts.entries()) {
      Object.assign(hosts[name] ?? {}, { role: `role-${index % 12}`, jump: ["jump"] });
      setState(folder, "upgradable", `package-${index} 1 2\n`);
    }
  });
});
const dropped = async (): Promise<string[]> =>
  (await jump.log()).split("\n").filter((line) => line.includes("MaxStartups"));
const begun = (): number[] =>
  ground.hosts.map(({ folder }) => readState(folder, "begun").split("\n").filter(Boolean).length);

describe.skipIf(sshdMissing)("hosts behind one jump host", { timeout: 120_000 }, () => {
  test("log in no faster than it lets them, from the first plan to the last host", async () => {
    const result = await ground.lcops("fleet", "upgrade", "api-*", "--yes");
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(begun()).toEqual(NAMES.map(() => 1));
    expect(await dropped()).toEqual([]);
    // Once they are in there may be more of them than that.
    expect(relay.counters().mostOpen).toBeGreaterThan(10);
  });

  test("are no more at once than fleet.atOnce, in planning and in upgrading", async () => {
    ground.configure((config) => (config.fleet = { ...config.fleet, atOnce: 3 }));
    // Both of five roles: five canaries, then the five others.
    const ten = [1, 2, 3, 4, 5, 13, 14, 15, 16, 17].map((number) => `api-${number}`);
    expect((await ground.lcops("fleet", "upgrade", ...ten, "--yes")).code).toBe(0);
    expect(begun().reduce((sum, count) => sum + count, 0)).toBe(ten.length);
    expect(relay.counters().mostOpen).toBe(3);
  });

  test("take the same turns for a command", async () => {
    const result = await ground.lcops("fleet", "run", "api-*", "--", "true");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(await dropped()).toEqual([]);
  });
});
