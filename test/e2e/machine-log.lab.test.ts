import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LCOPS } from "../support/program.ts";
import { until } from "../support/until.ts";
import { findObstacle, makeMachineGround, type MachineGround } from "../support/machine-ground.ts";

const obstacle = findObstacle();
const onMachine = test.skipIf(obstacle !== undefined);
const LIMIT = { timeout: 90_000 };
const SOCKET = "/dev/shm/lcops-0-server/data/mysql.sock";

let ground: MachineGround;
let config: string;
/** A MariaDB that stands for the machine's own. */
beforeAll(async () => {
  if (obstacle !== undefined) return;
  ground = await makeMachineGround();
  const log = { kind: "mysql-variable", socket: SOCKET };
  config = ground.configure({
    services: {
      server: { kind: "ram-mysql" },
      log: { ...log, variable: "general_log", with: { log_output: "FILE" }, minutes: 10 },
      brief: { ...log, variable: "general_log", with: { log_output: "FILE" }, minutes: 0.05 },
      slow: { ...log, variable: "slow_query_log", with: { long_query_time: 0.5 } },
    },
  });
  const started = await ground.lcops(["machine", "on", "server", "--yes"], { config });
  expect(started).toMatchObject({ code: 0 });
}, 90_000);
afterAll(() => ground?.stop(), 30_000);

const change = (to: string, name: string) =>
  ground.lcops(["machine", to, name, "--yes"], { config });
const ask = async (sql: string): Promise<string> =>
  (await ground.run("mariadb", `--socket=${SOCKET}`, "-N", "-e", sql)).trim();
const VALUES = "SELECT @@general_log, @@log_output, @@slow_query_log, @@global.long_query_time";
const WAITING = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'";

describe("the query log", LIMIT, () => {
  onMachine("is turned on, followed, and what was before is put back", async () => {
    await ask("SET GLOBAL log_output = 'TABLE'");
    const none = await ground.lcops(["machine", "log"], { config });
    expect(none).toMatchObject({ code: 5, stdout: "" });
    expect(none.stderr).toContain("lcops machine on log");
    expect(await change("on", "log")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await ask(VALUES)).toMatch(/^1\tFILE\t/);
    expect(await ask(WAITING)).toBe("1");
    const pty = ground.openPty(["machine", "log", "--config", config], {
      showsMode: true,
    });
    await pty.waitFor("following /dev/shm/", 20_000);
    await ask("SELECT 'seen', '\u001b[31m'");
    await pty.waitFor("SELECT 'seen', '\\x1b[31m'", 20_000);
    pty.press("ctrl-c");
    expect((await pty.exit).code).toBe(130);
    expect(pty.text()).not.toMatch(/lcops: /);
    let isRead = false;
    const read = ground
      .run(
        "timeout",
        "30",
        "bash",
        "-c",
        '"$@" | head -1; echo "code ${PIPESTATUS[0]}"',
        "bash",
        process.execPath,
        LCOPS,
        "machine",
        "log",
        "--config",
        config,
      )
      .finally(() => (isRead = true));
    // More comes, and nobody reads it.
    while (!isRead) await ask("SELECT 'more'");
    expect(await read).toMatch(/^.*\ncode 0\n$/);
    expect(await change("off", "log")).toMatchObject({ code: 0 });
    expect(await ask(VALUES)).toMatch(/^0\tTABLE\t/);
    await until("nothing waits", async () => (await ask(WAITING)) === "0", 10_000);
  });

  onMachine("of slow queries has a threshold, which is put back too", async () => {
    const before = await ask(VALUES);
    expect(await change("on", "slow")).toMatchObject({ code: 0 });
    expect(await ask(VALUES)).toMatch(/\t1\t0\.5/);
    expect(await change("off", "slow")).toMatchObject({ code: 0 });
    expect(await ask(VALUES)).toBe(before);
  });
});

/** Two servers take part: one waits while the other is asked. */
describe("the query log, side by side", { ...LIMIT, concurrent: true }, () => {
  onMachine("of Debian's own server is turned on and read through sudo", async () => {
    const start = `export TMPDIR=/tmp; mount -t tmpfs tmpfs /var/lib/mysql && chown mysql: /var/lib/mysql
mkdir -p /run/mysqld && chown mysql: /run/mysqld
mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null 2>&1
setsid mariadbd --user=mysql >/dev/null 2>&1 </dev/null &`;
    await ground.run("sh", "-c", start);
    const asRoot = (sql: string): Promise<string> => ground.run("mariadb", "-N", "-e", sql);
    const answers = () =>
      asRoot("SELECT 1")
        .then(() => true)
        .catch(() => false);
    await until("Debian's server answers", answers, 30_000);
    const options = { user: "nobody" as const };
    const turn = (to: string) => ground.lcops(["machine", to, "log", "--yes"], options);
    const refused = await turn("on");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/MySQL does not let this user in, and sudo refuses mariadb/);
    const rule = "nobody ALL=(ALL) NOPASSWD: ALL";
    const allow = `echo '${rule}' > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab`;
    await ground.run("sh", "-c", allow);
    expect(await turn("on")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await asRoot("SELECT @@general_log")).toBe("1\n");
    const pty = ground.openPty(["machine", "log"], options);
    await pty.waitFor("following /var/lib/mysql/", 20_000);
    await asRoot("SELECT 'through sudo'");
    await pty.waitFor("SELECT 'through sudo'", 20_000);
    pty.press("ctrl-c");
    // What leads into the namespace may be faster to end by it than lcops.
    await pty.exit;
    const followers = () => ground.run("sh", "-c", "grep -c '^tail' /proc/[0-9]*/comm || true");
    await until("nobody follows", async () => !/:1$/m.test(await followers()), 10_000);
    expect(pty.text()).not.toMatch(/lcops: /);
    expect(await turn("off")).toMatchObject({ code: 0 });
    expect(await asRoot("SELECT @@general_log")).toBe("0\n");
    await asRoot("SHUTDOWN");
  });

  onMachine("switches itself off when lcops has long ended", async () => {
    await ask("SET GLOBAL log_output = 'NONE'");
    expect(await change("on", "brief")).toMatchObject({ code: 0 });
    await until("it is off", async () => (await ask(VALUES)).startsWith("0\tNONE\t"), 20_000);
  });
});
