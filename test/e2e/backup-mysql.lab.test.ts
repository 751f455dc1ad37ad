import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import type { BackupJobConfig } from "../support/known-config.ts";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import { mysqlBackup } from "../../src/services/mysql/backup.ts";
import { until } from "../support/until.ts";
import { findPrograms } from "../support/find-programs.ts";
import { makeGround, TEST_DATABASES, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { type LcopsResult, runLcops, startLcops } from "../support/run-lcops.ts";
import { sendSql as sendLabSql } from "../support/send-sql.ts";

/** The lab's MariaDB is shared: each test has databases of its own, and backs up no others. */
const withMysql = testWith("mysql");
/** What makes two dumps of the same the same bytes. */
const WHOLE = ["--routines", "--events", "--hex-blob", "--skip-comments"];
const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: Ground;
const sendSql = (sql: string): Promise<string> => sendLabSql(ground.lab, sql);
beforeAll(async () => {
  ground = await makeGround();
  if (!ground.lab.services.mysql) return;
  await sendSql(readFileSync(path.join(import.meta.dirname, "backup-mysql.sql"), "utf8"));
});
afterAll(async () => {
  if (ground.lab.services.mysql)
    await sendSql("DROP DATABASE everything; REVOKE ALL ON everything.* FROM app@'%';");
  ground.remove();
});

interface Folder {
  config: string;
  sets: string;
}

let folders = 0;
/** A configuration with one job, of these databases, into a folder of its own. */
async function makeJob(
  databases: readonly string[],
  change: { job?: Partial<BackupJobConfig>; service?: Partial<MysqlConfig> } = {},
): Promise<Folder> {
  const sets = path.join(ground.folder, `mysql-${++folders}`);
  const all = (await sendSql("SHOW DATABASES")).trim().split("\n");
  const config = ground.deriveConfig(({ backups, services }) => {
    if (!backups) return;
    backups.destinations = { operator: { folder: sets } };
    // Those of other tests may come meanwhile.
    const others = [...new Set([...all, ...TEST_DATABASES])];
    const exclude = others.filter((name) => !databases.includes(name));
    backups.jobs = { mysql: { service: "school", mysql: { exclude }, ...change.job } };
    Object.assign(services?.["school"] ?? {}, change.service);
  });
  return { config, sets };
}

const lcops = (
  { config }: Folder,
  words: readonly string[],
  more: Record<string, string> = {},
): Promise<LcopsResult> =>
  runLcops([...words, "--config", config], {
    environment: { ...ground.environment, ...more },
    timeoutMs: 90_000,
  });

function readManifests({ sets }: Folder): Manifest[] {
  const folder = path.join(sets, "manifests/mysql");
  return readdirSync(folder)
    .toSorted()
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Manifest);
}

/** A program of that name that comes first on the PATH. */
function putInTheWay(name: string, script: string): Record<string, string> {
  const bin = path.join(ground.folder, `bin-${++folders}`);
  mkdirSync(bin);
  writeFileSync(path.join(bin, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  return { PATH: `${bin}:${ground.environment["PATH"]}` };
}

withMysql(
  "every kind of object and name comes back: dump, drill, and a second dump that is as the first",
  async () => {
    const job = await makeJob(["everything"]);
    const run = await lcops(job, ["backup", "run", "-v"]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toContain("NON_TRANSACTIONAL_TABLE everything.loose: MyISAM");
    expect(run.stderr).toContain("BROKEN_VIEW everything.broken");
    expect(run.stderr).not.toContain("with_function");
    const drill = await lcops(job, ["backup", "drill"]);
    expect(drill).toEqual(QUIET);
    expect(await lcops(job, ["backup", "run"])).toMatchObject({ code: 0 });
    const [first, second] = readManifests(job);
    // Two lanes end in any order.
    const byObject = (manifest: Manifest | undefined) =>
      manifest?.facts.toSorted((one, other) => (one.object < other.object ? -1 : 1));
    expect(byObject(second)).toEqual(byObject(first));
    expect(first?.consistency.level).toBe("lock-synced");
    const rowsOf = (table: string): number | undefined =>
      first?.facts.find(({ object }) => object === `everything.${table}`)?.rows;
    expect([rowsOf("no_key"), rowsOf(".."), rowsOf("Twin"), rowsOf("empty_one")]).toEqual([
      4, 1, 1, 0,
    ]);
    // Its dump is of another moment than any count: who writes it meanwhile must not fail the drill.
    expect(rowsOf("loose")).toBeUndefined();
    // No name has left its folder, and none has met another.
    const paths = first?.parts.map((part) => part.path) ?? [];
    expect(new Set(paths.map((one) => one.toLowerCase())).size).toBe(paths.length - 1);
    for (const one of paths) expect(one).toMatch(/^mysql\/everything\/[A-Za-z0-9%._~-]+$/);
    expect(await lcops(job, ["backup", "verify", "--level", "decode"])).toEqual(QUIET);
  },
  120_000,
);

withMysql(
  "a set is restored by its RESTORE.txt with standard programs alone, every kind of object of it",
  async () => {
    const job = await makeJob(["everything"]);
    expect(await lcops(job, ["backup", "run"])).toMatchObject({ code: 0 });
    const [manifest] = readManifests(job);
    const folder = path.join(job.sets, "data/mysql", manifest?.setId ?? "");
    const lines = readFileSync(path.join(folder, "RESTORE.txt"), "utf8")
      .split("\n")
      .filter((line) => /\| mysql|^mysqladmin/.test(line))
      .map((line) => line.replace(/(create |--database=)'everything'/, "$1'by_hand'"));
    // The broken view is kept beside, and no line for it would end well.
    const broken = manifest?.parts.filter(({ role }) => role === "broken").length ?? 0;
    expect(lines).toHaveLength((manifest?.parts.length ?? 0) - broken);
    const login = path.join(ground.lab.folder, "secrets/primary.cnf");
    const key = path.join(ground.lab.folder, "secrets/age.key");
    const script = lines.map((line) => line.replaceAll("KEYFILE", `'${key}'`)).join("\n");
    await sendSql("DROP DATABASE IF EXISTS by_hand");
    // An operator's own option file, where the programs look for it.
    const home = path.join(ground.folder, "by-hand");
    mkdirSync(home);
    writeFileSync(path.join(home, ".my.cnf"), readFileSync(login), { mode: 0o600 });
    const { PATH = "" } = ground.environment;
    execFileSync("bash", ["-e", "-o", "pipefail", "-c", script], {
      cwd: folder,
      env: { PATH, HOME: home },
    });
    // Two views would end a dump of the whole: one that is broken, and one of a user who is not there.
    const dump = (database: string): string => {
      const ignored = ["broken", "of_nobody"].map((view) => `--ignore-table=${database}.${view}`);
      const words = [`--defaults-file=${login}`, ...WHOLE, ...ignored, database];
      return execFileSync("mariadb-dump", words, { encoding: "utf8", maxBuffer: 2 ** 28 });
    };
    expect(dump("by_hand")).toBe(dump("everything"));
    expect(await sendSql("SHOW CREATE VIEW by_hand.of_nobody")).toContain("nobody_here");
    await sendSql("DROP DATABASE by_hand");
  },
  90_000,
);

withMysql(
  "one table alone is restored beside its source, and nothing else",
  async () => {
    const job = await makeJob(["everything"]);
    expect(await lcops(job, ["backup", "run"])).toMatchObject({ code: 0 });
    const words = ["backup", "restore", "mysql", "--only", "everything.no_key", "--into"];
    const refused = await lcops(job, [...words, "school", "--confirm", "school"]);
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(refused.stderr).toContain("is what the set was read from");
    // Its triggers are root's.
    await sendSql("DROP DATABASE IF EXISTS rescued; GRANT SET USER ON *.* TO app@'%'");
    const into = [...words, "school/rescued"];
    expect(await lcops(job, into)).toMatchObject({ code: 5 });
    expect(await sendSql("SHOW DATABASES LIKE 'rescued'")).toBe("");
    const confirmed = [...into, "--confirm", "school/rescued"];
    // As on RDS, where nobody has SUPER.
    await sendSql("SET GLOBAL log_bin_trust_function_creators = 0");
    const advised = await lcops(job, confirmed);
    expect(advised.code).toBe(1);
    expect(advised.stderr).toMatch(
      /ERROR 1419 .*; set log_bin_trust_function_creators=1 at the target/,
    );
    await sendSql("SET GLOBAL log_bin_trust_function_creators = 1");
    expect(await lcops(job, confirmed)).toEqual(QUIET);
    expect(await sendSql("SHOW TABLES FROM rescued")).toBe("no_key\n");
    expect(await sendSql("SELECT a, b FROM rescued.no_key")).toBe("3\tx\n1\ty\n3\tx\nNULL\tNULL\n");
    const plan = await lcops(job, [...into, "--dry-run"]);
    expect(plan.stdout).toContain("replaces the table rescued.no_key, which is dropped first");
    const nosuch = [
      "backup",
      "restore",
      "mysql",
      "--only",
      "everything.nosuch",
      "--into",
      "school/rescued",
    ];
    expect(await lcops(job, nosuch)).toMatchObject({ code: 2, stdout: "" });
    await sendSql(
      "SET GLOBAL log_bin_trust_function_creators = 0; DROP DATABASE rescued; REVOKE SET USER ON *.* FROM app@'%'",
    );
  },
  60_000,
);

withMysql(
  "a privilege that is missing is named with what grants it, before anything is dumped",
  async () => {
    await sendSql(
      "CREATE USER partly@'%' IDENTIFIED BY 'partly'; GRANT SELECT, SHOW VIEW, LOCK TABLES ON everything.* TO partly@'%';",
    );
    const password = ground.writeFile("partly", "partly");
    const job = await makeJob(["everything"], {
      service: { user: "partly", password: `\${file:${password}}` as never },
    });
    const { code, stderr } = await lcops(job, ["backup", "run"]);
    expect(code).toBe(1);
    expect(stderr).toContain("GRANT TRIGGER, EVENT ON `everything`.* TO 'partly'@'%';");
    expect(stderr).toContain("GRANT SELECT ON mysql.proc TO 'partly'@'%';");
    // A view that calls a function is whole: it is not taken for a broken one that nobody can restore.
    await sendSql(
      "GRANT TRIGGER, EVENT ON everything.* TO partly@'%'; GRANT SELECT ON mysql.proc TO partly@'%';",
    );
    const uncalled = await lcops(job, ["backup", "run"]);
    expect(uncalled.code).toBe(1);
    expect(uncalled.stderr).toMatch(
      /execute command denied .*plus_one.*; look at the user and its grants/,
    );
    await sendSql("GRANT EXECUTE ON everything.* TO partly@'%'");
    expect(await lcops(job, ["backup", "run"])).toMatchObject({ code: 0 });
    await sendSql("DROP USER partly@'%'");
  },
);

withMysql(
  "a password of any characters reaches both programs, and nobody else",
  async () => {
    const word = 'it\'s "so" # \\ called; $(x) `y` ü雪 ';
    await sendSql(
      `CREATE USER odd@'%' IDENTIFIED BY '${word.replace(/[\\']/g, "\\$&")}'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, EXECUTE ON everything.* TO odd@'%'; GRANT SELECT ON mysql.proc TO odd@'%';`,
    );
    const job = await makeJob(["everything"], {
      service: { user: "odd", password: `\${file:${ground.writeFile("odd", word)}}` as never },
    });
    // Long enough to be looked at from outside.
    const slow = putInTheWay("mariadb-dump", 'sleep 0.3; exec /usr/bin/mariadb-dump "$@"');
    const running = startLcops(["backup", "run", "-v", "--config", job.config], {
      environment: { ...ground.environment, ...slow },
      timeoutMs: 60_000,
    });
    let isOver = false;
    void running.ended.finally(() => (isOver = true));
    const seen: string[] = [];
    while (!isOver) {
      for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
        for (const file of ["cmdline", "environ"]) {
          try {
            const text = readFileSync(`/proc/${pid}/${file}`, "utf8");
            if (text.includes(word)) seen.push(`${file} ${text}`);
          } catch {
            continue;
          }
        }
      }
      await wait(10);
    }
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(seen).toEqual([]);
    const kept = readdirSync(job.sets, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(json|txt)$/.test(entry.name))
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"));
    expect(kept.length).toBeGreaterThan(1);
    for (const text of [stdout, stderr, ...kept]) expect(text).not.toContain(word.trim());
    await sendSql("DROP USER odd@'%'");
  },
  60_000,
);

withMysql.each([
  [
    "ends with 0 and no last line",
    'exec /usr/bin/mariadb-dump "$@" | head -c 3000',
    /the dump is not whole/,
  ],
  [
    "is killed",
    '/usr/bin/mariadb-dump "$@" | head -c 3000; kill -9 $$',
    /was ended by SIGKILL|not whole/,
  ],
  [
    "ends with its error",
    "echo 'mysqldump: Got error: 2013: Lost connection' >&2; exit 3",
    /ended with 3: mysqldump: Got error: 2013/,
  ],
])("a dump program that %s publishes nothing", async (_what, script, said) => {
  const job = await makeJob(["everything"]);
  const dump = `case "$*" in *--version*) exec /usr/bin/mariadb-dump "$@";; esac\n${script}`;
  const { code, stderr } = await lcops(job, ["backup", "run"], putInTheWay("mariadb-dump", dump));
  expect(code).toBe(1);
  expect(stderr).toMatch(said);
  const left = existsSync(job.sets) ? readdirSync(job.sets, { recursive: true }) : [];
  expect(left.filter((file) => /\.(sql|json)/.test(String(file)))).toEqual([]);
  expect(await findPrograms(`${ground.folder}/bin-`)).toEqual([]);
});

withMysql(
  "a table that comes or goes during the dump: nothing is published",
  async () => {
    await sendSql(
      "CREATE DATABASE moving; CREATE TABLE moving.a (id INT PRIMARY KEY); CREATE TABLE moving.b (id INT PRIMARY KEY); GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON moving.* TO app@'%';",
    );
    const job = await makeJob(["moving"]);
    const flag = path.join(ground.folder, "dumping");
    // It stays: a program that starts later must not wait for what nobody does again.
    const isOver = path.join(ground.folder, "table-was-made");
    const dump = `case "$*" in *--version*) exec /usr/bin/mariadb-dump "$@";; esac\n/usr/bin/mariadb-dump "$@"; code=$?; touch '${flag}'; while [ ! -e '${isOver}' ]; do sleep 0.05; done; exit $code`;
    const running = startLcops(["backup", "run", "--config", job.config], {
      environment: { ...ground.environment, ...putInTheWay("mariadb-dump", dump) },
      timeoutMs: 60_000,
    });
    const isDumping = async (): Promise<boolean> => {
      const entries = readdirSync(ground.folder);
      return entries.includes("dumping");
    };
    await until("it dumps", isDumping, 15_000);
    await sendSql("CREATE TABLE moving.c (id INT PRIMARY KEY)");
    writeFileSync(isOver, "");
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      "moving.c was made during the dump; nothing was published; run it again",
    );
    expect(await lcops(job, ["backup", "run"])).toEqual(QUIET);
    await sendSql("DROP DATABASE moving; REVOKE ALL ON moving.* FROM app@'%'");
  },
  60_000,
);

withMysql(
  "a transaction that stays open is not waited for, and writers go on",
  async () => {
    await sendSql(
      "CREATE DATABASE held; CREATE TABLE held.t (id INT PRIMARY KEY); GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, INSERT ON held.* TO app@'%';",
    );
    const job = await makeJob(["held"]);
    const { address, port } = ground.lab.services.mysql?.primary ?? { address: "", port: 0 };
    const file = ground.lab.services.mysql?.passwordFiles["app"] ?? "";
    const login = { host: address, port, user: "app", password: readFileSync(file, "utf8") };
    const holder = await createConnection(login);
    try {
      await holder.query("START TRANSACTION");
      await holder.query("INSERT INTO held.t VALUES (1)");
      const { code, stderr } = await lcops(job, ["backup", "run"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /the tables cannot be locked for the moment of the snapshot: .*; writers had 5 s/,
      );
      const writer = await createConnection(login);
      await writer.query("INSERT INTO held.t VALUES (2)");
      await writer.end();
    } finally {
      await holder.end();
    }
    await sendSql("DROP DATABASE held; REVOKE ALL ON held.* FROM app@'%'");
  },
  60_000,
);

withMysql("without a server of its kind a set is not drilled, and never said to be", async () => {
  const options = { job: { service: "x" }, environment: ground.environment, parallel: 1 };
  const set = { source: { engine: "mysql", version: "8.0.36" }, facts: [] };
  const opened = await mysqlBackup.openScratch(set as never, options as never);
  expect(opened).toEqual({ needs: "mysqld 8.x" });
});
