import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ServiceStatus } from "../../src/workstation/open-services.ts";
import { findObstacle, makeMachineGround, type MachineGround } from "../support/machine-ground.ts";

const FPM = "/usr/sbin/php-fpm8.2";
const obstacle = findObstacle() ?? (existsSync(FPM) ? undefined : `${FPM} is not installed`);
const onMachine = test.skipIf(obstacle !== undefined);
/** Two groups of tests, each on a machine of its own and one test after the other. */
const SIDE_BY_SIDE = { timeout: 120_000, concurrent: true };
const SEQUENTIAL = { timeout: 120_000, sequential: true };
if (obstacle !== undefined) console.log(`left out, PHP in FPM: ${obstacle}`);

/**
 * Debian has one version of PHP: the second is the same program, its paths those of 8.3, as another version is installed beside the first. Apache
 * asks each FPM for a page of its own.
 */
const SETUP = `set -e
for pair in lib:/usr/lib/php sbin:/usr/local/sbin; do
  copy=$1/\${pair%%:*} of=\${pair#*:}
  mkdir -p "$copy" && cp -a "$of/." "$copy" && mount --bind "$copy" "$of"
done
cp -a /usr/lib/php/8.2 /usr/lib/php/8.3
cp -a /etc/php/8.2 /etc/php/8.3
cp -a /var/lib/php/modules/8.2 /var/lib/php/modules/8.3
rm -r /etc/php/8.3/apache2 /etc/php/8.3/cli
for link in /etc/php/8.3/fpm/conf.d/*.ini; do ln -sf "$(readlink $link | sed s/8.2/8.3/)" $link; done
sed -i 's/8\\.2/8.3/g' /etc/php/8.3/fpm/php-fpm.conf /etc/php/8.3/fpm/pool.d/www.conf
sed 's,/etc/php/8\\.2,/etc/php/8.3,g; s,/php/%d\\.%d/fpm,/php/8.3///fpm,' ${FPM} > /usr/local/sbin/php-fpm8.3
sed 's/8\\.2/8.3/g; s,tmpfiles.d/php8.3,tmpfiles.d/php8.2,; s,/usr/sbin/,/usr/local/sbin/,' /etc/init.d/php8.2-fpm > /etc/init.d/php8.3-fpm
chmod 755 /usr/local/sbin/php-fpm8.3 /etc/init.d/php8.3-fpm
mkdir -p /run/php
a2enmod -q proxy_fcgi setenvif
for version in 8.2 8.3; do
  echo '<?php echo json_encode(get_loaded_extensions());' > /var/www/html/fpm-$version.php
  echo "<Location /fpm-$version.php>
SetHandler \\"proxy:unix:/run/php/php$version-fpm.sock|fcgi://localhost\\"
</Location>"
done > /etc/apache2/conf-enabled/fpm.conf
`;

/** Restores Apache's own PHP with all modules: restarts Apache and stops each FPM. */
const RESET = `set -e
for version in 8.2 8.3; do
  [ ! -e /run/php/php$version-fpm.pid ] || service php$version-fpm stop
  [ -e /etc/php/$version/fpm/conf.d/20-xdebug.ini ] || phpenmod -v $version -s fpm xdebug
done
[ -e /etc/apache2/mods-enabled/php8.2.load ] || a2enmod -q php8.2
[ -e /etc/php/8.2/apache2/conf.d/20-xdebug.ini ] || phpenmod -v 8.2 -s apache2 xdebug
service apache2 restart
`;

const APACHE = { kind: "sysv", script: "apache2" };

/** Makes a machine for the tests of a group, and returns what they ask of it. */
function useMachine() {
  let ground: MachineGround;
  /** Configures only the services that these tests need. */
  let ofPhp: string;
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    ground = await makeMachineGround();
    ofPhp = ground.configure({
      services: {
        apache: APACHE,
        xdebug: { kind: "php-module", module: "xdebug", title: "mod_xdebug" },
      },
    });
    const setup = path.join(ground.folder, "setup.sh");
    writeFileSync(setup, SETUP);
    await ground.run("sh", setup, ground.folder);
  }, 60_000);
  afterAll(() => ground?.stop(), 30_000);
  beforeEach(async () => {
    if (obstacle !== undefined) return;
    await ground.run("sh", "-c", RESET);
  });

  const service = (name: string, action: string) => ground.run("service", name, action);
  const change = (to: string, ...words: string[]) =>
    ground.lcops(["machine", to, "xdebug", "--yes", ...words], { config: ofPhp });
  const plan = async (to: string): Promise<string[]> => {
    const { stdout } = await ground.lcops(["machine", to, "xdebug", "--dry-run"], {
      config: ofPhp,
    });
    return stdout.split("\n").filter((line) => line.startsWith("  "));
  };
  async function look(config = ofPhp): Promise<ServiceStatus | undefined> {
    const { stdout } = await ground.lcops(["machine", "status", "--json"], { config });
    return (JSON.parse(stdout) as ServiceStatus[]).find(({ name }) => name === "xdebug");
  }
  /** Returns whether Apache's own PHP and each FPM have it, as they say; undefined for one that does not serve. */
  async function has(): Promise<(boolean | undefined)[]> {
    const pages = [ground.ask("fpm-8.2.php"), ground.ask("fpm-8.3.php")];
    const loaded = [(await ground.askApache())?.php, ...((await Promise.all(pages)) as string[][])];
    return loaded.map((names) => names?.includes("xdebug"));
  }
  const pidOf = (file: string): Promise<string> => ground.run("cat", file);

  return { ground: () => ground, ofPhp: () => ofPhp, service, change, plan, look, has, pidOf };
}

describe("one machine", SIDE_BY_SIDE, () => {
  const { ground, ofPhp, service, change, plan, look, has, pidOf } = useMachine();

  describe("a module of PHP", SEQUENTIAL, () => {
    onMachine("an FPM that is installed and does not serve is left alone", async () => {
      expect(await look()).toMatchObject({ state: "on", detail: null });
      expect(await change("off")).toMatchObject({ code: 0, stderr: "" });
      expect(await has()).toEqual([false, undefined, undefined]);
      await service("php8.2-fpm", "start");
      expect(await has()).toEqual([false, true, undefined]);
    });

    onMachine("where FPM serves it is restarted, and not Apache", async () => {
      await ground().run("a2dismod", "-q", "php8.2");
      await service("apache2", "restart");
      await service("php8.3-fpm", "start");
      const apache = await pidOf("/run/apache2/apache2.pid");
      expect(await plan("off")).toEqual([
        "  phpdismod -v 8.3 -s fpm xdebug",
        "  php-fpm8.3 --test",
        "  service php8.3-fpm restart",
      ]);
      expect(await change("off")).toMatchObject({ code: 0, stderr: "" });
      expect(await has()).toEqual([undefined, undefined, false]);
      await ground().run("phpenmod", "-v", "8.3", "-s", "fpm", "xdebug");
      expect(await look()).toMatchObject({
        state: "on",
        pending: "on",
        detail: "enabled, and php8.3-fpm has not loaded it yet",
      });
      expect(await change("on")).toMatchObject({ code: 0, stderr: "" });
      expect(await has()).toEqual([undefined, undefined, true]);
      expect(await pidOf("/run/apache2/apache2.pid")).toBe(apache);
    });

    onMachine("each PHP that serves is changed, and named; what is so already is not", async () => {
      await service("php8.2-fpm", "start");
      await service("php8.3-fpm", "start");
      expect(await has()).toEqual([true, true, true]);
      const off = await change("off", "--json");
      expect(off).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(off.stdout)).toMatchObject({
        state: "off",
        pending: null,
        partly: false,
        detail: "in PHP 8.2 apache2 and 8.2 fpm and 8.3 fpm",
      });
      expect(await has()).toEqual([false, false, false]);
      // By somebody else, one of them.
      await ground().run("phpenmod", "-v", "8.3", "-s", "fpm", "xdebug");
      await service("php8.3-fpm", "restart");
      expect(await look()).toMatchObject({
        state: "on",
        partly: true,
        detail: "OFF in PHP 8.2 apache2; OFF in PHP 8.2 fpm; ON in PHP 8.3 fpm",
      });
      const { stdout } = await ground().lcops(["machine"], { config: ofPhp() });
      expect(stdout).toContain("xdebug\tmod_xdebug\tON in part\tOFF in PHP 8.2 apache2");
      const doctor = await ground().lcops(["doctor"], { config: ofPhp() });
      expect(doctor.stdout).toContain("warn\tmachine\txdebug\tON in part: OFF in PHP 8.2 apache2;");
      expect(await plan("off")).toEqual([
        "  phpdismod -v 8.3 -s fpm xdebug",
        "  php-fpm8.3 --test",
        "  service php8.3-fpm restart",
      ]);
      expect(await change("on")).toMatchObject({ code: 0, stderr: "" });
      expect(await has()).toEqual([true, true, true]);
      const { stdout: history } = await ground().lcops(["history"]);
      expect(history).toContain("phpenmod -v 8.2 -s fpm xdebug; apache2ctl configtest; php-fpm8.2");
    });
  });
});

describe("another machine", SIDE_BY_SIDE, () => {
  const { ground, service, change, look, has, pidOf } = useMachine();

  describe("a module of several PHPs", SEQUENTIAL, () => {
    onMachine("the configuration may name one of them", async () => {
      await service("php8.2-fpm", "start");
      await service("php8.3-fpm", "start");
      const off = async (more: object): Promise<number | null> => {
        const services = {
          apache: APACHE,
          xdebug: { kind: "php-module", module: "xdebug", ...more },
        };
        const config = ground().configure({ services });
        return (await ground().lcops(["machine", "off", "xdebug", "--yes"], { config })).code;
      };
      expect(await off({ version: "8.3" })).toBe(0);
      expect(await has()).toEqual([true, true, false]);
      expect(await off({ sapi: "fpm" })).toBe(0);
      expect(await has()).toEqual([true, false, false]);
      expect(await off({ server: "apache" })).toBe(0);
      expect(await has()).toEqual([false, false, false]);
    });

    onMachine("where one refuses its configuration nothing is restarted", async () => {
      await service("php8.2-fpm", "start");
      await service("php8.3-fpm", "start");
      const pids = () =>
        Promise.all([pidOf("/run/apache2/apache2.pid"), pidOf("/run/php/php8.2-fpm.pid")]);
      const before = await pids();
      const broken = "/etc/php/8.3/fpm/pool.d/broken.conf";
      await ground().run("sh", "-c", `echo nonsense > ${broken}`);
      const result = await change("off");
      await ground().run("rm", broken);
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/php-fpm8\.3 --test ended with \d+: .*; it was taken back/);
      expect(await pids()).toEqual(before);
      expect(await has()).toEqual([true, true, true]);
      expect(await look()).toMatchObject({ state: "on", partly: false, pending: null });
    });

    onMachine("where the last does not come up all of them get it back", async () => {
      await service("php8.2-fpm", "start");
      await service("php8.3-fpm", "start");
      const script = "/etc/init.d/php8.3-fpm";
      await ground().run(
        "sh",
        "-c",
        `mv ${script} ${script}.real; printf '#!/bin/sh\\n[ "$1" = restart ] || exec ${script}.real "$@"\\nmv ${script}.real ${script}; exit 1\\n' > ${script}; chmod 755 ${script}`,
      );
      const result = await change("off");
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("service php8.3-fpm restart ended with 1; it was taken back");
      expect(await has()).toEqual([true, true, true]);
    });

    onMachine("a server that was restarted and does not stay is no success", async () => {
      const script = "/etc/init.d/frail";
      await ground().run(
        "sh",
        "-c",
        `printf '#!/bin/sh\\n[ "$1" = restart ] && touch /run/frail\\n[ "$1" = status ] && [ -e /run/frail ] && exit 3\\nexit 0\\n' > ${script}; chmod 755 ${script}`,
      );
      const config = ground().configure({
        services: {
          frail: { kind: "sysv", script: "frail" },
          xdebug: { kind: "php-module", module: "xdebug", server: "frail" },
        },
      });
      const result = await ground().lcops(["machine", "off", "xdebug", "--yes"], { config });
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("frail was restarted and does not run; it was taken back");
      expect(await look(config)).toMatchObject({ state: "on" });
    });
  });
});
