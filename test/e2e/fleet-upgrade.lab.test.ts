import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPortPicker } from "../lab/free-port.ts";
import { startRelay } from "../lab/relay.ts";
import { sshdMissing } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { makeFleetGround, type FleetGround, type FleetHost } from "../support/fleet-ground.ts";
import { dropState, readState, resetHost, setState, writePrograms } from "../lab/fleet-programs.ts";
import { openPty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { type LcopsResult, startProgram } from "../support/run-lcops.ts";
import { stateOf } from "../support/lab.ts";

const NAMES = Array.from({ length: 20 }, (_, index) => `api-${index + 1}`);

let ground: FleetGround;
beforeAll(async () => {
  if (sshdMissing) return;
  ground = await makeFleetGround({
    names: NAMES,
    variables: ({ folder }) => writePrograms(folder),
  });
}, 120_000);
afterAll(() => ground?.stop());
beforeEach(() => {
  if (!ground) return;
  for (const { folder } of ground.hosts) resetHost(folder);
  ground.configure((config) => {
    config.fleet = { soakSeconds: 0, upgradeMinutes: 1 };
    delete config.services;
  });
});

const upgrade = (...words: string[]): Promise<LcopsResult> =>
  ground.lcops("fleet", "upgrade", ...words);
const at = (name: string): FleetHost => {
  const host = ground.hosts.find((one) => one.name === name);
  if (!host) throw new Error(`there is ${name}`);
  return host;
};
const state = (name: string, file: string): string => readState(at(name).folder, file);
/** How often its upgrade was begun, whatever the number of lcops that tried. */
const begun = (name: string): number => state(name, "begun").split("\n").filter(Boolean).length;
const untouched = (): string[] => NAMES.filter((name) => begun(name) === 0);
interface End {
  id: string;
  early: string | null;
  hosts: Record<string, { state: string; why?: string; note?: string; attempt: number }>;
}
const endOf = ({ stdout }: LcopsResult): End =>
  JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as End;
const SOME = ["api-1", "api-2", "api-3", "api-4"];

describe.skipIf(sshdMissing)("an upgrade of twenty hosts", { timeout: 120_000 }, () => {
  test("is planned without touching anything, hosts with the same plan in one line", async () => {
    setState(at("api-7").folder, "upgradable", "linux-image-6.1 1 2\n");
    setState(at("api-8").folder, "upgradable");
    setState(at("api-9").folder, "interrupted");
    setState(at("api-10").folder, "free-var", "1000");
    setState(at("api-11").folder, "unmet");
    setState(at("api-12").folder, "locks", "apt 77 /var/lib/dpkg/lock-frontend\n");
    setState(at("api-13").folder, "held", "mysql-server\n");
    const { code, stdout } = await upgrade("role=api", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^upgrade 16 of 20 hosts\n/);
    expect(stdout).toMatch(/^ {2}api-\[1-6,14-20\] \(13\): 2 packages: libssl3, openssl; free: /m);
    expect(stdout).toMatch(/api-7 \(1\): 1 package: linux-image-6\.1/);
    expect(stdout).toMatch(/api-8 \(1\): nothing to upgrade/);
    expect(stdout).toMatch(/api-9 \(1\): left out: dpkg was interrupted/);
    expect(stdout).toMatch(/api-10 \(1\): left out: \/var has 1 MB free/);
    expect(stdout).toMatch(/api-11 \(1\): left out: apt-get -s upgrade failed: E: Unmet dep/);
    expect(stdout).toMatch(/api-12 \(1\): .*apt \(pid 77\) holds the lock/);
    expect(stdout).toMatch(/api-13 \(1\): .*held: mysql-server/);
    expect(stdout).toMatch(/in this order: canary api-\[1,7\]; /);
    expect(stdout).toContain("nothing can undo this");
    expect(stdout).toContain("by the lists of packages that the hosts have: a dry run does not");
    for (const name of NAMES) expect(state(name, "updated")).toBe("");
    expect(untouched()).toEqual(NAMES);
  });

  test("does all of them, the canary first, asks nothing and restarts sshd last", async () => {
    setState(
      at("api-3").folder,
      "needs-restart",
      "NEEDRESTART-SVC: ssh.service\nNEEDRESTART-SVC: dbus.service\nNEEDRESTART-SVC: nginx.service\n",
    );
    setState(at("api-4").folder, "system", "running\n");
    const result = await ground.lcops("uu", "--yes", "--json");
    expect(result.code).toBe(0);
    const { hosts, id } = endOf(result);
    expect(new Set(Object.values(hosts).map((one) => one.state))).toEqual(new Set(["done"]));
    for (const name of NAMES) expect(begun(name)).toBe(1);
    expect(state("api-1", "installed")).toBe("openssl 1.1 1.2\nlibssl3 1.1 1.2\n");
    expect(state("api-1", "environment").split("\n").filter(Boolean).toSorted()).toEqual([
      "APT_LISTCHANGES_FRONTEND=none",
      "DEBIAN_FRONTEND=noninteractive",
      "NEEDRESTART_MODE=l",
      "NEEDRESTART_SUSPEND=1",
      "UCF_FORCE_CONFFOLD=1",
    ]);
    expect(state("api-1", "arguments")).toMatch(/force-confold.*DPkg::Lock::Timeout=600.* upgrade/);
    expect(state("api-3", "restarted")).toBe("nginx.service\nssh.service\n");
    expect(state("api-4", "units")).toContain(`--unit=lcops-${id}-1`);
    const [entry] = (await ground.journal()).slice(-1);
    expect(entry).toMatchObject({
      change: `upgrade api-[1-20] (${id})`,
      outcome: { state: "done", detail: `20 done (${id})` },
    });
    expect(await ground.lcops("uu", "--yes")).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test("stops behind a canary that fails, and those who are to hear of it do", async () => {
    const heard = path.join(ground.ground.folder, "heard");
    ground.configure((config) => {
      config.notify = { team: { command: ["sh", "-c", 'cat >> "$0"', heard] } };
      config.fleet = { ...config.fleet, notify: ["team"] };
    });
    setState(at("api-1").folder, "fails");
    const result = await upgrade("role=api", "--yes", "--json");
    expect(result.code).toBe(1);
    const { early, hosts } = endOf(result);
    expect(early).toBe("the canary api-1 is not well");
    expect(hosts["api-1"]).toMatchObject({ state: "failed" });
    expect(hosts["api-1"]?.why).toMatch(/apt-get ended with 100: E: Sub-process/);
    expect(untouched()).toEqual(NAMES.slice(1));
    expect(Object.values(hosts).filter((one) => one.state === "untried")).toHaveLength(19);
    expect(JSON.parse(readFileSync(heard, "utf8"))).toMatchObject({
      event: "fleet upgrade",
      level: "fail",
      text: "fleet upgrade of api-[1-20]: it ended early, since the canary api-1 is not well: 1 failed, 19 never tried",
      states: { "api-1": "failed", "api-20": "untried" },
    });
    ground.configure((config) => delete config.notify);
  });

  test("stops once more are lost than may be, and lets those end that are under way", async () => {
    for (const name of ["api-2", "api-10"]) setState(at(name).folder, "fails");
    const result = await upgrade("role=api", "--yes", "--json");
    expect(result.code).toBe(3);
    const { early, hosts } = endOf(result);
    expect(early).toBe("2 hosts are lost, and 1 may be");
    const count = (wanted: string): number =>
      Object.values(hosts).filter((one) => one.state === wanted).length;
    expect(count("failed")).toBe(2);
    expect(count("untried")).toBe(untouched().length);
    expect(count("done") + count("failed") + count("untried")).toBe(20);
    expect(count("untried")).toBeGreaterThan(0);
    for (const name of ["api-2", "api-10"]) dropState(at(name).folder, "fails");
    const resumed = await upgrade("--resume", "--yes", "--json");
    expect(resumed.code).toBe(0);
    expect(Object.values(endOf(resumed).hosts).every((one) => one.state === "done")).toBe(true);
    expect(begun("api-1")).toBe(1);
    expect(begun("api-2")).toBe(2);
  });

  test("is done to its end, and its code is true, where nobody reads any more what it says", async () => {
    setState(at("api-4").folder, "fails");
    const script = '"$@" | head -1; exit ${PIPESTATUS[0]}';
    const words = [process.execPath, LCOPS, "fleet", "upgrade", ...SOME, "--yes", "--json"];
    const { code, stdout, stderr } = await startProgram("bash", ["-c", script, "bash", ...words], {
      environment: ground.environment,
      timeoutMs: 60_000,
    }).ended;
    expect(stdout).toMatch(/^\{"event":"begin".*\}\n$/);
    expect(stderr).toMatch(/^lcops: 3 done, 1 failed; /);
    expect(code).toBe(3);
    expect(SOME.map(begun)).toEqual([1, 1, 1, 1]);
  });

  test("leaves out a host whose repository does not answer, and does the others", async () => {
    setState(at("api-2").folder, "no-repository");
    const result = await upgrade(...SOME, "--yes", "--json");
    expect(result.code).toBe(3);
    const { hosts } = endOf(result);
    expect(hosts["api-2"]).toMatchObject({
      state: "failed",
      why: expect.stringMatching(/^not begun: apt-get update failed: E: Failed to fetch/),
    });
    expect(SOME.map(begun)).toEqual([1, 0, 1, 1]);
    expect(state("api-1", "updated")).not.toBe("");
  });

  test("waits for whoever brings the lists of a host up to date, as its daily timer does", async () => {
    setState(at("api-2").folder, "lists-locked");
    const running = ground.start("fleet", "upgrade", "api-1", "api-2", "--yes", "--json");
    const tries = (): number => state("api-2", "updated").split("\n").filter(Boolean).length;
    await until("it is tried again", () => tries() > 1, 15_000);
    dropState(at("api-2").folder, "lists-locked");
    expect((await running.ended).code).toBe(0);
    expect([begun("api-1"), begun("api-2")]).toEqual([1, 1]);
  });

  test("leaves out a host on which sudo wants a password", async () => {
    for (const name of ["api-1", "api-2"]) setState(at(name).folder, "no-root");
    setState(at("api-2").folder, "wants-password");
    const result = await upgrade("api-1", "api-2", "--yes", "--json");
    expect(result.code).toBe(3);
    expect(endOf(result).hosts).toMatchObject({
      "api-1": { state: "done" },
      "api-2": { state: "failed", why: "not begun: sudo wants a password" },
    });
    expect([begun("api-1"), begun("api-2")]).toEqual([1, 0]);
  });

  test("leaves out a host whose /boot is full, where a kernel comes", async () => {
    for (const name of ["api-1", "api-2"]) setState(at(name).folder, "free-boot", "50000");
    setState(at("api-1").folder, "upgradable", "linux-image-6.1 1 2\n");
    const { code, stdout } = await upgrade("api-1", "api-2", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^upgrade 1 of 2 hosts\n/);
    expect(stdout).toMatch(/api-1 \(1\): left out: \/boot has 50 MB free, and 100 MB are needed/);
  });

  test("that is only looked at says by which lists there is nothing to upgrade", async () => {
    setState(at("api-1").folder, "upgradable");
    const { code, stderr } = await upgrade("api-1", "--dry-run");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^lcops: by the lists of packages that the hosts have: a dry run/);
  });

  test("goes on without hosts that have left the inventory, and with those alone that were meant", async () => {
    const before = structuredClone(ground.config.hosts);
    setState(at("api-1").folder, "fails");
    expect((await upgrade(...SOME, "--yes")).code).toBe(1);
    dropState(at("api-1").folder, "fails");
    ground.configure(({ hosts }) => void delete hosts?.["api-3"]);
    const result = await upgrade("--resume", "--yes", "--json");
    ground.configure((config) => void (config.hosts = before));
    const { hosts } = endOf(result);
    expect(result.code).toBe(3);
    expect(hosts["api-3"]).toMatchObject({
      state: "untried",
      why: "it is no longer in the inventory, or does not run",
    });
    expect(SOME.map(begun)).toEqual([2, 1, 0, 1]);
    expect(begun("api-5")).toBe(0);
  });

  test("is not begun where no host is reached", async () => {
    const before = structuredClone(ground.config.hosts);
    ground.configure(({ hosts }) => {
      for (const name of NAMES) Object.assign(hosts?.[name] ?? {}, { port: 9 });
    });
    const result = await upgrade("role=api", "--yes");
    ground.configure((config) => void (config.hosts = before));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("20 failed; nothing was begun");
    expect(untouched()).toEqual(NAMES);
  });

  test("has hosts that cannot be reached for lost", async () => {
    const before = structuredClone(ground.config.hosts);
    ground.configure(({ hosts }) => {
      for (const name of ["api-5", "api-6"]) Object.assign(hosts?.[name] ?? {}, { port: 9 });
    });
    const result = await upgrade("role=api", "--yes");
    ground.configure((config) => void (config.hosts = before));
    expect(result).toMatchObject({ code: 5 });
    expect(result.stderr).toMatch(/2 hosts are not reached, and 1 may be lost; nothing was done/);
    expect(untouched()).toEqual(NAMES);
  });
});

describe.skipIf(sshdMissing)("production", () => {
  test("is upgraded when its name is given, and not with --yes", async () => {
    ground.configure(({ hosts }) => Object.assign(hosts?.["api-1"] ?? {}, { environment: "prod" }));
    try {
      const refused = await upgrade("api-1", "api-2", "--yes");
      expect(refused).toMatchObject({ code: 5, stdout: "" });
      expect(refused.stderr).toMatch(/in production --yes does not do.*--confirm prod/);
      expect(untouched()).toEqual(NAMES);
      expect((await upgrade("api-1", "api-2", "--confirm", "prod")).code).toBe(0);
      expect([begun("api-1"), begun("api-2")]).toEqual([1, 1]);
    } finally {
      ground.configure(({ hosts }) =>
        Object.assign(hosts?.["api-1"] ?? {}, { environment: "dev" }),
      );
    }
  });
});

describe.skipIf(sshdMissing)("a host", { timeout: 120_000 }, () => {
  test("is well only if what failed is not failed since, and its services restart", async () => {
    setState(at("api-1").folder, "needs-restart", "NEEDRESTART-SVC: nginx.service\n");
    setState(at("api-1").folder, "stuck", "nginx.service\n");
    const result = await upgrade("api-1", "--yes", "--json");
    expect(result.code).toBe(1);
    expect(endOf(result).hosts["api-1"]).toMatchObject({
      state: "failed",
      why: "could not be restarted: nginx.service",
    });
    setState(at("api-2").folder, "failed-units", "old.service loaded failed\n");
    expect((await upgrade("api-2", "--yes")).code).toBe(0);
  });

  test("that has failed is looked at again by --resume, though nothing is left to upgrade", async () => {
    setState(at("api-1").folder, "needs-restart", "NEEDRESTART-SVC: nginx.service\n");
    setState(at("api-1").folder, "stuck", "nginx.service\n");
    expect((await upgrade("api-1", "api-2", "--yes")).code).toBe(1);
    const again = await upgrade("--resume", "--yes", "--json");
    expect(again.code).toBe(1);
    expect(endOf(again).hosts["api-1"]?.state).toBe("failed");
    expect(begun("api-2")).toBe(0);
    // What broke meanwhile is not taken for what was broken before.
    dropState(at("api-1").folder, "stuck");
    setState(at("api-1").folder, "failed-units", "nginx.service loaded failed\n");
    const broken = await upgrade("--resume", "--yes", "--json");
    expect(endOf(broken).hosts["api-1"]?.why).toBe("failed since: nginx.service");
    dropState(at("api-1").folder, "failed-units");
    expect((await upgrade("--resume", "--yes")).code).toBe(0);
  });

  test("whose packages cannot be planned is no host that has nothing to upgrade", async () => {
    setState(at("api-1").folder, "unmet");
    const result = await upgrade("api-1", "--yes", "--json");
    expect(result.code).toBe(1);
    expect(endOf(result).hosts["api-1"]).toMatchObject({
      state: "failed",
      why: expect.stringMatching(/^not begun: apt-get -s upgrade failed: E: Unmet dependencies/),
    });
    expect(begun("api-1")).toBe(0);
  });

  test("whose job is killed is not waited for", async () => {
    setState(at("api-1").folder, "slow");
    const running = ground.start("fleet", "upgrade", "api-1", "--yes", "--json");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    const jobs = path.join(at("api-1").folder, "home/.local/state/lcops");
    const [job = ""] = readdirSync(jobs).toSorted().slice(-1);
    process.kill(Number(readFileSync(path.join(jobs, job, "pid"), "utf8")), "SIGKILL");
    dropState(at("api-1").folder, "slow");
    const result = await running.ended;
    expect(result.code).toBe(1);
    expect(endOf(result).hosts["api-1"]).toMatchObject({
      state: "failed",
      why: "its upgrade was killed there",
    });
  });

  test("reboots where that is allowed, which its boot id proves", async () => {
    ground.configure((config) => (config.fleet = { ...config.fleet, reboot: true }));
    setState(at("api-1").folder, "upgradable", "linux-image-6.1 1 2\n");
    const before = state("api-1", "boot-id");
    expect((await upgrade("api-1", "--yes")).code).toBe(0);
    expect(state("api-1", "boot-id")).not.toBe(before);
    expect(state("api-1", "reboots").trim().split("\n")).toHaveLength(1);
  });

  test("that wants a reboot and may not is said to", async () => {
    setState(at("api-1").folder, "upgradable", "linux-image-6.1 1 2\n");
    const result = await upgrade("api-1", "--yes", "--json");
    expect(endOf(result).hosts["api-1"]).toMatchObject({
      state: "done",
      note: "it wants a reboot",
    });
    expect(state("api-1", "reboots")).toBe("");
  });

  test("whose service no longer answers is not well, and stops the others", async () => {
    const server: Server = createServer((_request, response) =>
      response.writeHead(begun("api-1") > 0 ? 500 : 200).end("page"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    ground.configure((config) => {
      config.services = { page: { kind: "http", host: "api-1", port, path: "/" } };
    });
    const result = await upgrade(...SOME, "--yes", "--json");
    server.close();
    const { early, hosts } = endOf(result);
    expect(early).toBe("the canary api-1 is not well");
    expect(hosts["api-1"]?.why).toMatch(/^upgraded, but no longer well: page \(.*500/);
    expect(SOME.filter((name) => begun(name) > 0)).toEqual(["api-1"]);
  });

  test.skipIf(stateOf("monit") === "absent")(
    "is not well where its Monit says so, of what was well before",
    async () => {
      const folder = mkdtempSync(path.join(ground.ground.folder, "monit-"));
      const port = await createPortPicker()("127.0.0.1");
      const check = (name: string, words: string): string =>
        `check program ${name} with path "/usr/bin/test ${words}"\n  if status != 0 then exec "/bin/true"`;
      const lines = [
        "set daemon 1",
        `set logfile ${folder}/log`,
        ...["pid", "id", "state"].map((name) => `set ${name}file ${folder}/${name}`),
        `set httpd port ${port} and use address 127.0.0.1`,
        '  allow admin:"secret-of-monit"',
        check("nginx", `! -s ${at("api-1").folder}/state/installed`),
        check("broken", "-e /nowhere"),
        "",
      ];
      writeFileSync(`${folder}/monitrc`, lines.join("\n"), { mode: 0o600 });
      writeFileSync(`${folder}/password`, "secret-of-monit\n", { mode: 0o600 });
      const child = spawn("monit", ["-I", "-c", `${folder}/monitrc`], { stdio: "ignore" });
      const ended = once(child, "exit");
      try {
        ground.configure((config) => {
          config.fleet = { soakSeconds: 4, upgradeMinutes: 1 };
          const password = `\${file:${folder}/password}`;
          const monit = { kind: "monit" as const, host: "api-1", user: "admin", password };
          config.services = { watch: { ...monit, port } };
        });
        const health = async (): Promise<string> => (await ground.lcops("health", "--json")).stdout;
        await until("it has looked", async () => /program: fails/.test(await health()), 20_000);
        const result = await upgrade("api-1", "api-2", "--yes", "--json");
        expect(endOf(result).early).toBe("the canary api-1 is not well");
        expect(begun("api-2")).toBe(0);
        expect(endOf(result).hosts["api-1"]).toMatchObject({
          state: "failed",
          why: expect.stringMatching(
            /^upgraded, but no longer well: watch\/nginx \(program: fails/,
          ),
        });
        expect(endOf(result).hosts["api-1"]?.why).not.toContain("broken");
        expect(result.code).toBe(1);
        expect(result.stdout + result.stderr).not.toContain("secret-of-monit");
      } finally {
        child.kill();
        await ended;
      }
    },
  );

  test("goes on while its link is lost, and is found again, begun once", async () => {
    const host = at("api-1");
    const before = structuredClone(ground.config.hosts?.["api-1"]);
    const relay = await startRelay({ host: host.sshd.address, port: host.sshd.port });
    ground.reachAt(host, relay.port);
    setState(host.folder, "slow");
    const running = ground.start("fleet", "upgrade", "api-1", "--yes", "--json");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    relay.refuse(true);
    relay.cut();
    dropState(host.folder, "slow");
    await until("it has ended", () => state("api-1", "installed") !== "", 15_000);
    relay.refuse(false);
    const result = await running.ended;
    ground.configure(({ hosts }) => Object.assign(hosts?.["api-1"] ?? {}, before));
    await relay.close();
    expect(result.code).toBe(0);
    expect(begun("api-1")).toBe(1);
  });

  test("whose lcops is killed goes on, and --resume finds it", async () => {
    for (const name of SOME) setState(at(name).folder, "slow");
    const running = ground.start("fleet", "upgrade", ...SOME, "--yes", "--json");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    running.send("SIGKILL");
    await running.ended;
    expect((await ground.journal()).at(-1)?.outcome).toBeUndefined();
    for (const name of SOME) dropState(at(name).folder, "slow");
    const resumed = await upgrade("--resume", "--yes", "--json");
    expect(resumed.code).toBe(0);
    const { hosts } = endOf(resumed);
    expect(SOME.map((name) => hosts[name]?.state)).toEqual(["done", "done", "done", "done"]);
    expect(SOME.map(begun)).toEqual([1, 1, 1, 1]);
  });

  test("that another run has begun is left to --resume, which finds it behind newer runs too", async () => {
    setState(at("api-1").folder, "slow");
    const running = ground.start("fleet", "upgrade", "api-1", "--yes");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    running.send("SIGKILL");
    await running.ended;
    const again = await upgrade("api-1", "api-2", "--yes", "--json");
    expect(again.code).toBe(3);
    expect(endOf(again).hosts).toMatchObject({
      "api-1": {
        state: "failed",
        why: expect.stringMatching(
          /^not begun: upgrade-\S+ was begun there and may be under way; lcops fleet upgrade --resume/,
        ),
      },
      "api-2": { state: "done" },
    });
    dropState(at("api-1").folder, "slow");
    const resumed = await upgrade("--resume", "--yes", "--json");
    expect(resumed.code).toBe(0);
    expect(Object.keys(endOf(resumed).hosts)).toEqual(["api-1"]);
    expect(begun("api-1")).toBe(1);
    expect(await upgrade("api-1", "--yes")).toMatchObject({ code: 0, stdout: "" });
  });

  test("that is gone with its job under way keeps nobody from going on with another upgrade", async () => {
    setState(at("api-1").folder, "slow");
    const running = ground.start("fleet", "upgrade", "api-1", "--yes");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    running.send("SIGKILL");
    await running.ended;
    dropState(at("api-1").folder, "slow");
    setState(at("api-2").folder, "fails");
    expect((await upgrade("api-2", "--yes")).code).toBe(1);
    dropState(at("api-2").folder, "fails");
    const before = structuredClone(ground.config.hosts);
    ground.configure(({ hosts }) => void delete hosts?.["api-1"]);
    const resumed = await upgrade("--resume", "--yes", "--json");
    ground.configure((config) => void (config.hosts = before));
    expect(endOf(resumed).hosts).toMatchObject({ "api-2": { state: "done" } });
    expect(resumed.code).toBe(0);
    expect((await upgrade("--resume", "--yes")).code).toBe(0);
    expect([begun("api-1"), begun("api-2")]).toEqual([1, 2]);
  });

  test("of another configuration is another machine: --resume has nothing to do with it", async () => {
    setState(at("api-1").folder, "fails");
    expect((await upgrade("api-1", "--yes")).code).toBe(1);
    const other = `${ground.ground.folder}/other.config.json`;
    copyFileSync(`${ground.ground.folder}/lcops.config.json`, other);
    const { code, stderr } = await upgrade("--resume", "--yes", "--config", other);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is no upgrade of this configuration to go on with/);
    expect(begun("api-1")).toBe(1);
  });

  test("is under way when lcops is stopped, which says how to find it again; another run is locked out", async () => {
    setState(at("api-1").folder, "slow");
    const running = ground.start("fleet", "upgrade", "api-1", "--yes");
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    expect(await upgrade("api-2", "--yes")).toMatchObject({ code: 6 });
    running.send("SIGTERM");
    const { code, stderr } = await running.ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(
      /1 under way; what is begun goes on there; lcops fleet upgrade --resume/,
    );
    dropState(at("api-1").folder, "slow");
    expect((await upgrade("--resume", "--yes")).code).toBe(0);
    expect(begun("api-1")).toBe(1);
  });

  test("goes on behind a Ctrl-C, others are not begun; behind a second one lcops leaves, and its job goes on", async () => {
    for (const name of SOME) setState(at(name).folder, "slow");
    const pty = openPty(["fleet", "upgrade", ...SOME, "--yes"], {
      environment: ground.environment,
      columns: 200,
    });
    await until("it is begun", () => begun("api-1") === 1, 15_000);
    pty.press("ctrl-c");
    await pty.waitFor("no further host is begun; Ctrl-C again leaves");
    dropState(at("api-1").folder, "slow");
    expect((await pty.exit).code).toBe(3);
    expect(pty.text()).toContain(
      "it ended early, since it was asked to stop: 1 done, 3 never tried",
    );
    expect(SOME.map(begun)).toEqual([1, 0, 0, 0]);

    const again = openPty(["fleet", "upgrade", "--resume", "--yes"], {
      environment: ground.environment,
      columns: 200,
    });
    await until("the next is begun", () => begun("api-2") === 1, 15_000);
    again.press("ctrl-c");
    await again.waitFor("no further host is begun; Ctrl-C again leaves");
    again.press("ctrl-c");
    expect((await again.exit).code).toBe(130);
    expect(again.text()).toMatch(/1 done, 1 under way, 2 never tried; what is begun goes on there/);
    expect((await ground.journal()).at(-1)?.outcome).toMatchObject({ state: "unknown" });
    expect(state("api-2", "installed")).toBe("");
    for (const name of SOME) dropState(at(name).folder, "slow");
    await until("its job has ended", () => state("api-2", "installed") !== "", 15_000);
    expect((await upgrade("--resume", "--yes")).code).toBe(0);
    expect(SOME.map(begun)).toEqual([1, 1, 1, 1]);
  });
});
