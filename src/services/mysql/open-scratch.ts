import { spawnServer } from "../../system/spawn-server.ts";
import { randomBytes } from "node:crypto";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError, OperatorError } from "../../system/errors.ts";
import { findProgram, runProgram } from "../../system/program.ts";
import type { DriverOptions, ScratchPlace } from "../backup-driver.ts";
import type { ServiceTarget } from "../restore-target.ts";
import type { SetContent } from "../set-content.ts";
import { passableFolder } from "../passable-folder.ts";
import { openServer } from "./open-server.ts";
import { findDumper } from "./dumper.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

const BEGIN_LIMIT_MS = 60_000;

/**
 * Given a set of a MySQL or MariaDB, start a server of the same flavour and major version on loopback, as an unprivileged user, for a drill; or take the
 * configured one where it is such a server. Returns what would be needed where there is none.
 */
export async function openMysqlScratch(
  set: SetContent,
  options: DriverOptions & { configured?: ServicePlace },
): Promise<ScratchPlace<ServiceTarget> | { needs: string }> {
  const { engine, version } = set.source;
  const flavour = engine === "mariadb" ? "mariadb" : "mysql";
  const dumper = await findDumper(flavour, options.environment);
  const made = set.facts.find(({ checksum }) => checksum?.startsWith("sha256 of its dump by "));
  const madeBy = /by ([^\s:,]+)[:,]/.exec(made?.checksum ?? "")?.[1];
  // The comparison is with dumps of the very same program.
  if (madeBy !== undefined && madeBy !== dumper.version)
    return {
      needs: `the dump program ${madeBy}, with which the set was made; here is ${dumper.version}`,
    };
  const wanted = `${flavour === "mariadb" ? "mariadbd" : "mysqld"} ${seriesOf(flavour, version)}`;
  if (options.configured) return checkConfigured(options.configured, { flavour, version, wanted });
  const server = await findServer(flavour, options.environment);
  if (!server || seriesOf(flavour, server.version) !== seriesOf(flavour, version))
    return { needs: wanted };
  return startScratch(server, flavour, options);
}

/** What may be compared with what: MariaDB 10.11 and MySQL 8.0 are series, 10 and 8 are not. Pure. */
function seriesOf(flavour: "mysql" | "mariadb", version: string): string {
  const [major = "", minor = ""] = version.split(".");
  return flavour === "mysql" && minor === "0" ? `${major}.x` : `${major}.${minor}`;
}

async function checkConfigured(
  place: ServicePlace,
  wanted: { flavour: string; version: string; wanted: string },
): Promise<ScratchPlace<ServiceTarget> | { needs: string }> {
  const server = await openServer(place);
  await server.close();
  const isSame =
    server.flavour === wanted.flavour &&
    seriesOf(server.flavour, server.version) === seriesOf(server.flavour, wanted.version);
  if (!isSame) return { needs: wanted.wanted };
  return {
    target: { kind: "service", place },
    description: `${place.name}, ${server.flavour} ${server.version}`,
    close: () => Promise.resolve(),
  };
}

interface ServerProgram {
  program: string;
  version: string;
}

async function findServer(
  flavour: "mysql" | "mariadb",
  environment: NodeJS.ProcessEnv,
): Promise<ServerProgram | undefined> {
  // Servers are no programs of users: cron's PATH and others leave their folders out.
  const everywhere = `${environment["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin:/usr/libexec`;
  const names = flavour === "mariadb" ? ["mariadbd", "mysqld"] : ["mysqld"];
  const program = await findProgram(names, everywhere);
  if (program === undefined) return undefined;
  const { stdout } = await runProgram(program, ["--no-defaults", "--version"], { environment });
  const isMariaDb = /mariadb/i.test(stdout);
  if (isMariaDb !== (flavour === "mariadb")) return undefined;
  return { program, version: /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "" };
}

async function startScratch(
  server: ServerProgram,
  flavour: "mysql" | "mariadb",
  options: DriverOptions,
): Promise<ScratchPlace<ServiceTarget>> {
  const { environment, signal, folder } = options;
  const account = await findAccount(environment);
  // Below a home folder another user reaches nothing. A folder that is there already is somebody else's.
  const home = account ? passableFolder(folder) : join(folder, "scratch");
  await mkdir(home, { mode: 0o711 });
  const data = join(home, "data");
  await mkdir(data, { mode: 0o700 });
  const password = randomBytes(18).toString("base64url");
  const initFile = join(home, "init.sql");
  await writeFile(initFile, accounts(password), { mode: 0o600 });
  if (account) for (const own of [data, initFile]) await chown(own, account.uid, account.gid);
  const as = account ? [`--user=${account.name}`] : [];
  await initialise(server, flavour, data, as, { environment, signal });
  const started = await spawnServer(
    server.program,
    (port) => [
      "--no-defaults",
      ...as,
      `--datadir=${data}`,
      `--socket=${join(data, "socket")}`,
      `--pid-file=${join(data, "pid")}`,
      `--init-file=${initFile}`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      "--skip-name-resolve",
      // Events of the set would fire.
      "--event-scheduler=OFF",
      "--skip-log-bin",
      "--max-allowed-packet=1G",
      // It is thrown away: nothing need outlive it.
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-doublewrite=0",
      "--innodb-buffer-pool-size=256M",
      "--performance-schema=OFF",
    ],
    { environment, signal },
  );
  const place = placeOf(started.port, password, flavour);
  try {
    await untilItAnswers(place, started.ended, signal);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    target: { kind: "service", place },
    description: `${flavour === "mariadb" ? "mariadbd" : "mysqld"} ${server.version}, started for this drill`,
    close: started.stop,
  };
}

function accounts(password: string): string {
  return `CREATE USER IF NOT EXISTS 'lcops'@'127.0.0.1' IDENTIFIED BY '${password}';\nGRANT ALL PRIVILEGES ON *.* TO 'lcops'@'127.0.0.1' WITH GRANT OPTION;\n`;
}

/** Servers refuse root: then it is the user that the package made for them, or nobody. */
async function findAccount(
  environment: NodeJS.ProcessEnv,
): Promise<{ name: string; uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["mysql", "nobody"]) {
    const { code, stdout } = await runProgram("id", ["-u", name], { environment });
    const group = await runProgram("id", ["-g", name], { environment });
    if (code === 0) return { name, uid: Number(stdout), gid: Number(group.stdout) };
  }
  return undefined;
}

async function initialise(
  server: ServerProgram,
  flavour: "mysql" | "mariadb",
  data: string,
  as: readonly string[],
  { environment, signal }: Pick<DriverOptions, "environment" | "signal">,
): Promise<void> {
  const [program, args] =
    flavour === "mysql"
      ? [server.program, ["--no-defaults", "--initialize-insecure", `--datadir=${data}`, ...as]]
      : [
          (await findProgram(
            ["mariadb-install-db", "mysql_install_db"],
            environment["PATH"] ?? "",
          )) ?? "mariadb-install-db",
          [
            "--no-defaults",
            `--datadir=${data}`,
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            ...as,
          ],
        ];
  const { code, stderr, stdout } = await runProgram(program, args, {
    environment,
    signal,
    timeoutMs: BEGIN_LIMIT_MS,
  });
  if (code === 0) return;
  const why = (stderr || stdout).trim().split("\n").at(-1) ?? "";
  throw new OperatorError("failed", `${program} ended with ${code}: ${why}`);
}

function placeOf(port: number, password: string, flavour: string): ServicePlace {
  return {
    name: "scratch",
    config: { kind: "mysql", port, user: "lcops" },
    environment: undefined,
    isProduction: false,
    endpoint: () => Promise.resolve({ host: "127.0.0.1", port }),
    host: () => Promise.resolve(undefined),
    password: () => Promise.resolve(password),
    tls: () => undefined,
    aws: () => Promise.reject(new Error(`a ${flavour} of this machine is not in AWS`)),
  };
}

async function untilItAnswers(
  place: ServicePlace,
  ended: Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const limit = performance.now() + BEGIN_LIMIT_MS;
  let isOver = false;
  const over = ended.then((why) => {
    isOver = true;
    throw new OperatorError("failed", `the scratch server has ended: ${why}`);
  });
  over.catch(() => undefined);
  for (;;) {
    signal.throwIfAborted();
    try {
      const server = await Promise.race([openServer(place), over]);
      return await server.close();
    } catch (error) {
      if (isOver || performance.now() > limit)
        throw new OperatorError(
          "failed",
          `the scratch server does not answer: ${describeError(error)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
