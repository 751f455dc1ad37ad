/** MariaDB, standing for RDS: a primary with the school's database, and a replica that follows it. */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { awaitAll } from "./await-all.ts";
import type { Endpoint, LabMysql } from "./lab.ts";
import { findAccount, runCommand, startServer } from "./process.ts";
import type { Account, LabContext } from "./process.ts";
import { waitUntilReady } from "./ready.ts";

const DATABASE = "school";
const USERS = ["root", "app", "report", "replicator"] as const;
type Passwords = Record<(typeof USERS)[number], string>;
type Instance = Endpoint & { name: string; socket: string; data: string };

const LEAN = [
  "--innodb-buffer-pool-size=48M",
  "--innodb-log-file-size=16M",
  "--innodb-flush-log-at-trx-commit=0",
  "--sync-binlog=0",
  "--performance-schema=OFF",
  "--key-buffer-size=1M",
  "--aria-pagecache-buffer-size=8M",
];

function makePasswords(lab: LabContext): { passwords: Passwords; files: Record<string, string> } {
  const folder = path.join(lab.folder, "secrets");
  const passwords = Object.fromEntries(
    USERS.map((user) => [user, randomBytes(15).toString("base64url")]),
  ) as Passwords;
  const files = Object.fromEntries(USERS.map((user) => [user, path.join(folder, `mysql-${user}`)]));
  for (const user of USERS) writeFileSync(files[user] ?? "", passwords[user], { mode: 0o600 });
  return { passwords, files };
}

/** Runs as each server starts, and stays out of the binary log: root is left with one account, through the socket. */
function rootAccounts(passwords: Passwords): string {
  return [
    "SET SESSION sql_log_bin = 0;",
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');",
    "FLUSH PRIVILEGES;",
    `ALTER USER root@localhost IDENTIFIED BY '${passwords.root}';`,
    "",
  ].join("\n");
}

function otherAccounts(passwords: Passwords): string {
  const create = (user: keyof Passwords) =>
    `CREATE USER ${user}@'%' IDENTIFIED BY '${passwords[user]}';`;
  return [
    create("app"),
    create("report"),
    create("replicator"),
    `GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, SHOW VIEW ON ${DATABASE}.* TO app@'%';`,
    // What a backup must be shown.
    `GRANT TRIGGER, EVENT, LOCK TABLES ON ${DATABASE}.* TO app@'%';`,
    "GRANT SELECT ON mysql.proc TO app@'%';",
    "GRANT BINLOG MONITOR ON *.* TO app@'%';",
    // What tells how far behind a replica is.
    "GRANT SLAVE MONITOR ON *.* TO app@'%';",
    // Where a set may be restored to.
    "GRANT ALL PRIVILEGES ON rescued.* TO app@'%';",
    `GRANT SELECT, SHOW VIEW ON ${DATABASE}.* TO report@'%';`,
    "GRANT REPLICATION SLAVE ON *.* TO replicator@'%';",
    "",
  ].join("\n");
}

/** Sends SQL as root through the server's socket; the password travels in a file. */
async function sendSql(
  lab: LabContext,
  instance: Instance,
  passwords: Passwords,
  sql: string,
): Promise<string> {
  const defaults = path.join(lab.folder, "secrets", `${instance.name}.cnf`);
  writeFileSync(
    defaults,
    `[client]\nuser=root\npassword=${passwords.root}\nsocket=${instance.socket}\n`,
    {
      mode: 0o600,
    },
  );
  const args = [
    `--defaults-file=${defaults}`,
    "--batch",
    "--skip-column-names",
    "--default-character-set=utf8mb4",
  ];
  return runCommand(lab, "mariadb", args, { input: sql });
}

async function startInstance(
  lab: LabContext,
  instance: Instance,
  settings: { passwords: Passwords; account: Account | undefined; more: string[] },
): Promise<Instance & { pid: number }> {
  const initFile = path.join(path.dirname(instance.socket), "root.sql");
  writeFileSync(initFile, rootAccounts(settings.passwords), { mode: 0o600 });
  if (settings.account) chownSync(initFile, settings.account.uid, settings.account.gid);
  const server = await startServer(lab, {
    name: instance.name,
    command: "mariadbd",
    args: [
      "--no-defaults",
      `--datadir=${instance.data}`,
      `--socket=${instance.socket}`,
      `--bind-address=${instance.address}`,
      `--port=${instance.port}`,
      `--pid-file=${instance.socket}.pid`,
      `--tmpdir=${path.dirname(instance.socket)}`,
      `--init-file=${initFile}`,
      "--skip-name-resolve",
      "--character-set-server=utf8mb4",
      "--collation-server=utf8mb4_unicode_ci",
      "--binlog-format=ROW",
      "--log-bin=binlog",
      "--log-slave-updates=ON",
      ...LEAN,
      ...settings.more,
    ],
    account: settings.account,
    probe: () => sendSql(lab, instance, settings.passwords, "SELECT 1;"),
  });
  return { ...instance, pid: server.pid };
}

async function follow(
  lab: LabContext,
  primary: Instance,
  replica: Instance,
  passwords: Passwords,
): Promise<void> {
  const source = `MASTER_HOST='${primary.address}', MASTER_PORT=${primary.port}, MASTER_USER='replicator'`;
  const change = `CHANGE MASTER TO ${source}, MASTER_PASSWORD='${passwords.replicator}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1;`;
  await sendSql(lab, replica, passwords, `${change}\nSTART SLAVE;`);
  const position = (await sendSql(lab, primary, passwords, "SELECT @@gtid_binlog_pos;")).trim();
  await waitUntilReady(
    "the replica",
    async () => {
      const wait = `SELECT MASTER_GTID_WAIT('${position}', 1);`;
      if ((await sendSql(lab, replica, passwords, wait)).trim() === "0") return;
      throw new Error(await sendSql(lab, replica, passwords, "SHOW SLAVE STATUS;"));
    },
    { signal: lab.signal },
  );
}

type RunningInstance = LabMysql["primary"];

const whereIs = ({ address, port, socket, pid }: Instance & { pid: number }): RunningInstance => ({
  address,
  port,
  socket,
  pid,
});

/** A primary and its replica, installed and not started. */
export type InstalledMariadb = {
  /** Starts the primary, and seeds it. */
  startPrimary(lab: LabContext): Promise<Omit<LabMysql, "replica">>;
  /** Starts the replica, and returns it once it has all that the primary had. Throws when it does not follow. */
  startReplica(lab: LabContext, primary: Promise<unknown>): Promise<RunningInstance>;
};

/** Takes two addresses; installs a primary for the first and a replica for the second. */
export async function installMariadb(
  lab: LabContext,
  addresses: { primary: string; replica: string },
): Promise<InstalledMariadb> {
  // MariaDB refuses to run as root.
  const account = process.getuid?.() === 0 ? await findAccount(lab, "mysql") : undefined;
  const { passwords, files } = makePasswords(lab);
  const prepare = async (name: string, address: string): Promise<Instance> => {
    const folder = path.join(lab.folder, name);
    mkdirSync(folder, { mode: 0o755 });
    if (account) chownSync(folder, account.uid, account.gid);
    return {
      name,
      address,
      port: await lab.pickPort(address),
      socket: path.join(folder, "s"),
      data: path.join(folder, "data"),
    };
  };
  const [first, second] = await Promise.all([
    prepare("primary", addresses.primary),
    prepare("replica", addresses.replica),
  ]);

  const args = [
    "--no-defaults",
    `--datadir=${first.data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...LEAN,
  ];
  const folder = path.dirname(first.data);
  await runCommand(lab, "mariadb-install-db", args, {
    account,
    folder,
    environment: { TMPDIR: folder },
  });
  await runCommand(lab, "cp", ["-a", first.data, second.data]);

  return {
    startPrimary: async (context) => {
      const more = ["--server-id=1", "--event-scheduler=ON"];
      const started = await startInstance(context, first, { passwords, account, more });
      const seed = readFileSync(path.join(import.meta.dirname, "school.sql"), "utf8");
      await sendSql(context, first, passwords, otherAccounts(passwords) + seed);
      return { primary: whereIs(started), database: DATABASE, passwordFiles: files };
    },
    startReplica: async (context, primary) => {
      const more = ["--server-id=2", "--read-only=ON"];
      const [started] = await awaitAll([
        startInstance(context, second, { passwords, account, more }),
        primary,
      ]);
      await follow(context, first, second, passwords);
      return whereIs(started);
    },
  };
}
