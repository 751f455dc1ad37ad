import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ServiceStatus } from "../../src/workstation/open-services.ts";
import { until } from "../support/until.ts";
import { findObstacle, makeMachineGround, type MachineGround } from "../support/machine-ground.ts";
import { isLeftRaw } from "../support/pty.ts";
import type { LcopsResult } from "../support/run-lcops.ts";

const obstacle = findObstacle();
const onMachine = test.skipIf(obstacle !== undefined);
/** Two groups of tests, each on a machine of its own and one test after the other. */
const SIDE_BY_SIDE = { timeout: 120_000, concurrent: true };
const SEQUENTIAL = { timeout: 120_000, sequential: true };
if (obstacle !== undefined) console.log(`left out, machine services: ${obstacle}`);

/** Configures Apache and its modules only, so that no test waits for the other services. */
const APACHE = {
  apache: { kind: "systemd", unit: "apache2", title: "Apache2" },
  xdebug: { kind: "php-module", module: "xdebug", title: "mod_xdebug" },
  apc: { kind: "php-module", module: "apcu", title: "mod_apc" },
};

/** Makes a machine for the tests of a group, and returns what they ask of it. */
function useMachine() {
  let ground: MachineGround;
  let ofApache: string;
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    ground = await makeMachineGround();
    ofApache = ground.configure({ services: APACHE });
  }, 60_000);
  afterAll(() => ground?.stop(), 30_000);
  afterEach(async () => {
    if (obstacle !== undefined) return;
    const left = "/etc/apache2/conf-enabled/broken.conf /run/systemd /run/units/*";
    await ground.run("sh", "-c", `rm -rf ${left}`);
  });
  const askApache = () => ground.askApache();
  return {
    ground: () => ground,
    ofApache: () => ofApache,
    change: (to: string, name: string, ...words: string[]) =>
      ground.lcops(["machine", to, name, "--yes", ...words]),
    look: async (config = ofApache, user?: "nobody"): Promise<Record<string, ServiceStatus>> => {
      const options = { config, ...(user && { user }) };
      const { stdout } = await ground.lcops(["machine", "status", "--json"], options);
      const all = JSON.parse(stdout) as ServiceStatus[];
      return Object.fromEntries(all.map((one) => [one.name, one]));
    },
    start: async (): Promise<void> => {
      if ((await askApache()) === undefined) await ground.run("service", "apache2", "start");
      expect(await askApache()).toBeDefined();
    },
    has: async (extension: string): Promise<boolean | undefined> =>
      (await askApache())?.php.includes(extension),
    exists: (file: string): Promise<boolean> =>
      ground.run("test", "-e", file).then(
        () => true,
        () => false,
      ),
  };
}
type Machine = ReturnType<typeof useMachine>;

/** Starts the changes that wait, with services that no other test uses. They run beside the tests until the last tests need them. */
function startPatient(machine: Machine) {
  const work = { idle: turnIdleOn(machine), interrupted: interruptRestart(machine) };
  for (const running of Object.values(work)) running.catch(() => undefined);
  return work;
}

/** Starts a service whose command ends well and does nothing. */
function turnIdleOn(machine: Machine): Promise<LcopsResult> {
  const ground = machine.ground();
  const config = ground.configure({
    services: {
      idle: { kind: "command", status: ["test", "-e", "/no/flag"], on: ["true"], off: ["true"] },
    },
  });
  return ground.lcops(["machine", "on", "idle", "--yes"], { config, user: "nobody" });
}

/** A restart that fails when Ctrl-C has been pressed for longer than lcops gives itself to clean up, 5 s. */
async function interruptRestart(machine: Machine) {
  const { look, exists } = machine;
  const ground = machine.ground();
  const script = `#!/bin/sh
[ "$1" = status ] && exit 0
touch /run/restarts
[ -e /run/failed ] && exit 0
sleep 6; touch /run/failed; echo "it does not start"; exit 1
`;
  const file = "/etc/init.d/slow";
  await ground.run("sh", "-c", `printf %s "$1" > ${file}; chmod 755 ${file}`, "sh", script);
  const config = ground.configure({
    services: {
      slow: { kind: "sysv", script: "slow" },
      ctype: { kind: "php-module", module: "ctype", server: "slow" },
    },
  });
  const before = (await look(config))["ctype"];
  const running = ground.lcops(["machine", "off", "ctype", "--yes"], { config });
  await until("it restarts", () => exists("/run/restarts"), 20_000);
  // The dot in brackets: the shell that looks has this pattern among its own words.
  const interrupt = `for process in /proc/[0-9]*; do
tr '\\0' ' ' < $process/cmdline | grep -q 'lcops[.]js .*machine off ctype' && kill -INT \${process#/proc/}
done; true`;
  await ground.run("sh", "-c", interrupt);
  await ground.run("sh", "-c", interrupt);
  const result = await running;
  return { result, before, after: (await look(config))["ctype"] };
}

describe("one machine", SIDE_BY_SIDE, () => {
  const machine = useMachine();
  const { ground, ofApache, change, look, start, has, exists } = machine;
  let patient: ReturnType<typeof startPatient>;
  beforeAll(() => {
    if (obstacle === undefined) patient = startPatient(machine);
  });

  describe("the six of the old script", SEQUENTIAL, () => {
    onMachine("are shown as they are, in a pipe and as JSON", async () => {
      await change("off", "apache");
      const result = await ground().lcops(["machine"]);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout.split("\n").map((line) => line.split("\t").slice(0, 3))).toEqual([
        ["apache", "Apache2", "OFF"],
        ["xdebug", "mod_xdebug", "ON"],
        ["apc", "mod_apc", "ON"],
        ["mysql", "MySQL", "OFF"],
        ["rammysql", "/rammysql", "OFF"],
        ["log", "-log", "OFF"],
        [""],
      ]);
      const [old, document] = await Promise.all([
        ground().lcops(["statusMachine"]),
        ground().lcops(["machine", "status", "--json"]),
      ]);
      expect(old.stdout).toBe(result.stdout);
      const [apache] = JSON.parse(document.stdout) as ServiceStatus[];
      expect(apache).toEqual({
        name: "apache",
        key: "1",
        title: "Apache2",
        kind: "systemd",
        state: "off",
        pending: null,
        partly: false,
        detail: null,
      });
    });

    onMachine("Apache is started and stopped, where no systemd runs by its script", async () => {
      expect(await change("on", "apache")).toMatchObject({ code: 0 });
      expect(await ground().askApache()).toBeDefined();
      expect((await look())["apache"]).toMatchObject({ state: "on" });
      const again = await change("on", "apache");
      expect(again).toMatchObject({ code: 0, stdout: "", stderr: "" });
      expect(await change("off", "apache")).toMatchObject({ code: 0, stdout: "", stderr: "" });
      expect(await ground().askApache()).toBeUndefined();
      const { stdout } = await ground().lcops(["history"]);
      expect(stdout).toMatch(/turn apache on: service apache2 start\tdone/);
    });

    onMachine.each([
      ["xdebug", "xdebug"],
      ["apc", "apcu"],
    ])("%s is turned off and on, and the server itself says so", async (name, extension) => {
      await start();
      expect(await has(extension)).toBe(true);
      const off = await change("off", name, "--json");
      expect(off.code).toBe(0);
      expect(JSON.parse(off.stdout)).toMatchObject({ name, state: "off", pending: null });
      expect(await has(extension)).toBe(false);
      expect((await look())[name]).toMatchObject({ state: "off" });
      expect(await change("on", name)).toMatchObject({ code: 0 });
      expect(await has(extension)).toBe(true);
    });

    onMachine(
      "need --yes where nobody can be asked, and --dry-run says what would be run",
      async () => {
        await start();
        const refused = await ground().lcops(["machine", "off", "xdebug"]);
        expect(refused).toMatchObject({ code: 5, stdout: "" });
        expect(refused.stderr).toContain("confirm it with --yes");
        const [plan, lost, none] = await Promise.all([
          ground().lcops(["machine", "off", "xdebug", "--dry-run"]),
          change("off", "nosuch"),
          change("reset", "apache"),
        ]);
        expect(plan).toMatchObject({ code: 0, stderr: "" });
        expect(plan.stdout.split("\n")).toEqual([
          "turn xdebug off",
          "  phpdismod -v 8.2 -s apache2 xdebug",
          "  apache2ctl configtest",
          "  service apache2 restart",
          "phpenmod -v 8.2 -s apache2 xdebug undoes it",
          "",
        ]);
        expect(await has("xdebug")).toBe(true);
        expect(lost).toMatchObject({ code: 2 });
        expect(none).toMatchObject({ code: 2 });
      },
    );

    onMachine("may be on with a restart pending, and get it", async () => {
      await start();
      await ground().run("phpdismod", "-v", "8.2", "-s", "apache2", "xdebug");
      const [seen, { stdout }] = await Promise.all([
        look(),
        ground().lcops(["machine"], { config: ofApache() }),
      ]);
      expect(seen["xdebug"]).toMatchObject({
        state: "on",
        pending: "off",
        detail: "disabled, and apache still has it loaded",
      });
      expect(stdout).toContain("xdebug\tmod_xdebug\tON, restart pending\tdisabled, and");
      expect(await change("off", "xdebug")).toMatchObject({ code: 0 });
      expect(await has("xdebug")).toBe(false);
      await ground().run("phpenmod", "-v", "8.2", "-s", "apache2", "xdebug");
      const [mine, theirs, plan] = await Promise.all([
        look(),
        // Another user may not look into the process: the times say the same.
        look(undefined, "nobody"),
        ground().lcops(["machine", "on", "xdebug", "--dry-run"]),
      ]);
      expect(mine["xdebug"]).toMatchObject({ state: "on", pending: "on" });
      expect(theirs["xdebug"]).toMatchObject({ state: "on", pending: "on" });
      expect(plan.stdout).not.toContain("phpenmod -v 8.2 -s apache2 xdebug\n");
      expect(await change("on", "xdebug")).toMatchObject({ code: 0 });
      expect(await has("xdebug")).toBe(true);
      expect((await look(undefined, "nobody"))["xdebug"]).toMatchObject({
        state: "on",
        pending: null,
      });
      await ground().run("phpdismod", "-v", "8.2", "-s", "apache2", "xdebug");
      expect((await look(undefined, "nobody"))["xdebug"]).toMatchObject({
        state: "on",
        pending: "off",
      });
      expect(await change("on", "xdebug")).toMatchObject({ code: 0 });
    });

    onMachine(
      "a configuration that Apache refuses is taken back, and Apache serves on",
      async () => {
        await start();
        await ground().run(
          "sh",
          "-c",
          "echo NoSuchDirective > /etc/apache2/conf-enabled/broken.conf",
        );
        const result = await change("off", "xdebug");
        expect(result).toMatchObject({ code: 1, stdout: "" });
        expect(result.stderr).toMatch(/apache2ctl configtest ended with 1/);
        expect(await has("xdebug")).toBe(true);
        await ground().run("rm", "/etc/apache2/conf-enabled/broken.conf");
        expect((await look())["xdebug"]).toMatchObject({ state: "on", pending: null });
      },
    );

    onMachine("a module whose library is missing is taken back", async () => {
      await start();
      await ground().run(
        "sh",
        "-c",
        "echo extension=ghost.so > /etc/php/8.2/mods-available/ghost.ini",
      );
      const config = ground().configure({
        services: {
          apache: { kind: "sysv", script: "apache2" },
          ghost: { kind: "php-module", module: "ghost" },
        },
      });
      const result = await ground().lcops(["machine", "on", "ghost", "--yes"], { config });
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("has not loaded ghost.so; it was taken back");
      expect((await look(config))["ghost"]).toMatchObject({ state: "off", pending: null });
      expect(await has("xdebug")).toBe(true);
    });
  });

  describe("root", SEQUENTIAL, () => {
    onMachine("is asked of sudo, and its refusal is one clear line", async () => {
      await start();
      const off = (): Promise<{ code: number | null; stderr: string }> =>
        ground().lcops(["machine", "off", "xdebug", "--yes"], { user: "nobody" });
      const refused = await off();
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(
        /^lcops: sudo refuses phpdismod -v 8\.2 -s apache2 xdebug: a password is required; run sudo -v first, .*\n$/,
      );
      expect(await has("xdebug")).toBe(true);
      const rule = "nobody ALL=(ALL) NOPASSWD: ALL";
      await ground().run(
        "sh",
        "-c",
        `echo '${rule}' > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab`,
      );
      expect(await off()).toMatchObject({ code: 0 });
      expect(await has("xdebug")).toBe(false);
      // Only what restarts is forbidden: what was configured is not left so.
      const no = "nobody ALL=(ALL) NOPASSWD: ALL, !/usr/sbin/service";
      await ground().run("sh", "-c", `echo '${no}' > /etc/sudoers.d/lab`);
      const half = await ground().lcops(["machine", "on", "xdebug", "--yes"], { user: "nobody" });
      expect(half.code).toBe(1);
      expect((await look())["xdebug"]).toMatchObject({ state: "off", pending: null });
      await ground().run("rm", "/etc/sudoers.d/lab");
      expect(await change("on", "xdebug")).toMatchObject({ code: 0 });
    });
  });

  describe("changes that wait", SEQUENTIAL, () => {
    onMachine("a command that says that it was started, and was not, fails", async () => {
      const idle = await patient.idle;
      expect(idle).toMatchObject({ code: 1 });
      expect(idle.stderr).toContain("idle is OFF");
    });

    onMachine("a restart that fails long after Ctrl-C is taken back all the same", async () => {
      const { result, before, after } = await patient.interrupted;
      expect(result).toMatchObject({ code: 130, stdout: "" });
      expect(result.stderr).toContain("ctype: it is finished first, or taken back\n");
      expect(result.stderr).toMatch(/service slow restart ended with 1: .*; it was taken back/);
      expect(await exists("/run/failed")).toBe(true);
      expect(before).toMatchObject({ state: "on", pending: null });
      expect(after).toMatchObject({ state: "on", pending: null });
    });
  });
});

describe("another machine", SIDE_BY_SIDE, () => {
  const { ground, change, look, start, has } = useMachine();

  describe("other kinds", SEQUENTIAL, () => {
    onMachine("a module of Apache", async () => {
      await start();
      const config = ground().configure({
        services: {
          web: { kind: "sysv", script: "apache2" },
          rewrite: { kind: "apache-module", module: "rewrite", server: "web" },
          nosuch: { kind: "apache-module", module: "nosuch", server: "web" },
          lost: { kind: "apache-module", module: "rewrite", server: "nowhere" },
        },
      });
      const loaded = async () => (await ground().askApache())?.apache.includes("mod_rewrite");
      expect(await loaded()).toBe(false);
      expect(await look(config)).toMatchObject({
        rewrite: { state: "off" },
        nosuch: { state: "not installed" },
        lost: { state: "unknown", detail: "there is no service nowhere" },
      });
      const toggle = (to: string, name = "rewrite") =>
        ground().lcops(["machine", to, name, "--yes"], { config });
      expect(await toggle("on")).toMatchObject({ code: 0 });
      expect(await loaded()).toBe(true);
      expect(await toggle("off")).toMatchObject({ code: 0 });
      expect(await loaded()).toBe(false);
      expect(await toggle("on", "nosuch")).toMatchObject({ code: 1 });
      expect(await toggle("on", "lost")).toMatchObject({ code: 2 });
    });

    onMachine("a command", async () => {
      const flag = path.join(ground().folder, "nobody/flag");
      const config = ground().configure({
        services: {
          own: {
            kind: "command",
            title: "Our worker",
            key: "w",
            status: ["test", "-e", flag],
            on: ["touch", flag],
            off: ["rm", flag],
          },
          gone: { kind: "command", status: ["/no/such"], on: ["true"], off: ["true"] },
          locked: { kind: "command", status: ["/etc/hostname"], on: ["true"], off: ["true"] },
          killed: {
            kind: "command",
            status: ["sh", "-c", "kill -SEGV $$"],
            on: ["true"],
            off: ["true"],
          },
        },
      });
      const toggle = (to: string, name: string) =>
        ground().lcops(["machine", to, name, "--yes"], { config, user: "nobody" });
      expect(await look(config)).toMatchObject({
        own: { state: "off", key: "w", title: "Our worker" },
        gone: { state: "not installed" },
        // A service that could not be asked is not off.
        locked: { state: "unknown" },
        killed: { state: "unknown" },
      });
      expect(await toggle("off", "killed")).toMatchObject({ code: 1 });
      expect(await toggle("on", "own")).toMatchObject({ code: 0 });
      expect(await look(config)).toMatchObject({ own: { state: "on" } });
      expect(await toggle("off", "own")).toMatchObject({ code: 0 });
      expect(await look(config)).toMatchObject({ own: { state: "off" } });
    });

    onMachine("a unit of systemd, each of its states, real Apache behind it", async () => {
      await change("off", "apache");
      await ground().run("mkdir", "-p", "/run/systemd/system", "/run/units");
      const unit = (name: string, text = "") =>
        ground().run("sh", "-c", `printf %s "$1" > "/run/units/$2"`, "sh", text, name);
      await unit("apache2");
      const config = ground().configure({
        services: Object.fromEntries(
          ["apache2", "masked", "failed", "endless", "nosuch"].map((name) => [
            name,
            { kind: "systemd", unit: name },
          ]),
        ),
      });
      await unit("masked", "LoadState=masked");
      await unit("failed", "ActiveState=failed Result=exit-code");
      await unit("endless", "ActiveState=activating SubState=auto-restart");
      expect(await look(config)).toMatchObject({
        apache2: { state: "off" },
        masked: { state: "off", detail: "masked" },
        failed: { state: "failed", detail: "exit-code" },
        endless: { state: "starting", detail: "auto-restart" },
        nosuch: { state: "not installed" },
      });
      const toggle = (to: string, name: string) =>
        ground().lcops(["machine", to, name, "--yes"], { config });
      expect(await toggle("on", "apache2")).toMatchObject({ code: 0 });
      expect(await ground().askApache()).toBeDefined();
      expect(await look()).toMatchObject({ apache: { state: "on" }, xdebug: { state: "on" } });
      expect(await change("off", "xdebug")).toMatchObject({ code: 0 });
      expect(await has("xdebug")).toBe(false);
      expect(await change("on", "xdebug")).toMatchObject({ code: 0 });
      await unit("apache2", "NeedDaemonReload=yes");
      expect(await look(config)).toMatchObject({ apache2: { state: "on", pending: "on" } });
      await unit("apache2");
      const failed = await toggle("on", "failed");
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain("Job for failed failed.");
      expect(await toggle("off", "apache2")).toMatchObject({ code: 0 });
      expect(await ground().askApache()).toBeUndefined();
    });
  });

  describe("the panel", SEQUENTIAL, () => {
    const SHOWN = "1) Apache2 = ON";

    onMachine("shows what is, and a key toggles it; what happens elsewhere is seen", async () => {
      await start();
      const pty = ground().openPty(["machine"], { showsMode: true });
      await pty.waitFor(SHOWN, 20_000);
      expect(pty.screen().split("\n").slice(0, 4)).toEqual([
        "Services:",
        "1) Apache2 = ON",
        "2) mod_xdebug = ON",
        "3) mod_apc = ON",
      ]);
      pty.mark();
      pty.type("2");
      await pty.waitFor("$ lcops machine off xdebug --yes", 20_000);
      await pty.waitFor("2) mod_xdebug = OFF", 30_000);
      expect(await has("xdebug")).toBe(false);
      pty.mark();
      pty.type("2");
      await pty.waitFor("2) mod_xdebug = ON", 30_000);
      expect(await has("xdebug")).toBe(true);
      // By somebody else.
      pty.mark();
      await ground().run("service", "apache2", "stop");
      await until("it shows that", () => pty.screen().includes("1) Apache2 = OFF"), 20_000);
      pty.press("ctrl-c");
      expect((await pty.exit).code).toBe(0);
      expect(isLeftRaw(pty.text())).toBe(false);
    });

    onMachine("fits what the terminal becomes, and says what is no key", async () => {
      const pty = ground().openPty(["machine"], { columns: 80, rows: 24 });
      await pty.waitFor("6) -log = OFF", 20_000);
      pty.resize(30, 24);
      await until(
        "it is drawn anew",
        () => /2\) mod_xdebug = ON, .*…\n/.test(pty.screen()),
        10_000,
      );
      const lines = pty.screen().split("\n");
      expect(lines.every((line) => line.length < 30)).toBe(true);
      expect(lines.filter((line) => line.startsWith("1) "))).toHaveLength(1);
      pty.resize(80, 6);
      await until("it is cut", () => pty.screen().split("\n").length <= 6, 10_000);
      pty.resize(80, 24);
      await until("all is back", () => pty.screen().includes("6) -log = OFF"), 10_000);
      pty.type("zz");
      pty.press("enter");
      await pty.waitFor("no line has the key zz");
      pty.type("q");
      expect((await pty.exit).code).toBe(0);
    });

    onMachine("is a screen of the menu, whose keys work there too", async () => {
      const menu = [
        { title: "Workstation:", entries: [{ key: "m", label: "The panel", run: ["machine"] }] },
      ];
      const config = ground().configure(
        { repositories: { app: { folder: "/nowhere" } } },
        { menu },
      );
      await change("off", "apache");
      const unattended = await ground().lcops(["menu", "m", "1"], { config });
      expect(unattended.code).toBe(5);
      expect(unattended.stderr).toContain("confirm it with --yes");
      expect(await ground().lcops(["menu", "m", "9"], { config })).toMatchObject({ code: 2 });
      const once = ground().openPty(["menu", "m", "1", "--config", config]);
      await once.waitFor("$ lcops machine on apache --yes", 20_000);
      expect((await once.exit).code).toBe(0);
      expect(await ground().askApache()).toBeDefined();
      const pty = ground().openPty(["menu", "--config", config]);
      await pty.waitFor(">>>", 20_000);
      pty.type("m");
      pty.press("enter");
      await pty.waitFor("repo) app", 20_000);
      await pty.waitFor(SHOWN, 20_000);
      pty.press("ctrl-c");
      await pty.waitFor("Enter shows the menu");
      pty.press("ctrl-c");
      expect((await pty.exit).code).toBe(0);
    });

    onMachine("a service that is being changed is not changed by another run", async () => {
      await start();
      const pty = ground().openPty(["machine", "off", "apache"]);
      await pty.waitFor("Go on? (y/N)", 20_000);
      expect(await change("off", "apache")).toMatchObject({ code: 6 });
      pty.press("ctrl-c");
      expect((await pty.exit).code).toBe(130);
      expect(await ground().askApache()).toBeDefined();
    });
  });
});
