import { readFile, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode, OperatorError } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/program.ts";
import { startServer } from "../system/start-server.ts";
import { systemEnvironment } from "./run-as-root.ts";

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const LOOK_AGAIN_MS = 20;
/** Of its own, beside the data. */
export const SERVER_BYTES = 192 * 2 ** 20;

export interface RamProgram {
  server: string;
  /** `10.11.14`. */
  version: string;
  installer: string;
}

/** Return MariaDB's programs of this machine; undefined where they are not installed. */
export async function findRamProgram(
  environment: NodeJS.ProcessEnv,
): Promise<RamProgram | undefined> {
  const all = systemEnvironment(environment);
  const path = all["PATH"] ?? "";
  const server = await findProgram(["mariadbd", "mysqld"], path);
  const installer = await findProgram(["mariadb-install-db", "mysql_install_db"], path);
  if (server === undefined || installer === undefined) return undefined;
  const { stdout } = await runProgram(server, ["--no-defaults", "--version"], { environment: all });
  const version = /Ver (\d+\.\d+\.\d+)-MariaDB/.exec(stdout)?.[1];
  return version === undefined ? undefined : { server, version, installer };
}

export const socketIn = (data: string): string => join(data, "mysql.sock");
const pidFileIn = (data: string): string => join(data, "mysql.pid");
export const logIn = (data: string): string => join(data, "error.log");

/** The server refuses root: then it is the user that the package made for it. */
const asUser = (): readonly string[] => (process.getuid?.() === 0 ? ["--user=mysql"] : []);

/** The kernel's own queues for a disk have nothing to offer for one in memory, and are slow to end. */
const FOR_RAM = ["--innodb-use-native-aio=0", "--innodb-log-file-size=32M"];

/** Given a folder that is not there yet, make the data of an empty server in it. Who has made it may log in to it through its socket, and nobody else. */
export async function initialiseData(
  { installer }: RamProgram,
  data: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { code, stdout, stderr } = await runProgram(
    installer,
    [
      // What the machine's own server is configured with leads to its data.
      "--no-defaults",
      `--datadir=${data}`,
      "--skip-test-db",
      "--auth-root-authentication-method=socket",
      `--auth-root-socket-user=${userInfo().username}`,
      ...FOR_RAM,
      ...asUser(),
    ],
    {
      // A folder for temporary files that is root's own lets the server's user not in.
      environment: {
        ...systemEnvironment(environment),
        ...(process.getuid?.() === 0 && { TMPDIR: "/tmp" }),
      },
      timeoutMs: START_LIMIT_MS,
    },
  );
  if (code === 0) return;
  const said = (stderr.trim() || stdout.trim()).split("\n");
  throw new OperatorError("failed", `${installer} ended with ${code}: ${said.at(-1) ?? ""}`, {
    details: said.slice(-4, -1),
  });
}

/** Given the data, start its server, which goes on when lcops has ended, and return once it answers. Throws `failed` with what it has said, and it has ended then. */
export async function startRamServer(
  { server }: RamProgram,
  data: string,
  options: { environment: NodeJS.ProcessEnv; port?: number | undefined; signal: AbortSignal },
): Promise<void> {
  const { port, signal } = options;
  await rm(logIn(data), { force: true });
  const started = await startServer(
    server,
    [
      "--no-defaults",
      ...asUser(),
      `--datadir=${data}`,
      `--tmpdir=${data}`,
      `--socket=${socketIn(data)}`,
      `--pid-file=${pidFileIn(data)}`,
      `--log-error=${logIn(data)}`,
      ...(port === undefined
        ? ["--skip-networking"]
        : ["--bind-address=127.0.0.1", `--port=${port}`]),
      "--skip-name-resolve",
      "--character-set-server=utf8mb4",
      ...FOR_RAM,
      // The memory is lost with the machine: nothing is gained by writing twice or waiting for a disk.
      "--skip-log-bin",
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-doublewrite=0",
      "--innodb-buffer-pool-size=128M",
      "--innodb-buffer-pool-load-at-startup=0",
      "--innodb-buffer-pool-dump-at-shutdown=0",
      "--aria-pagecache-buffer-size=8M",
      "--key-buffer-size=8M",
      "--performance-schema=OFF",
    ],
    systemEnvironment(options.environment),
  );
  let hasEnded = false;
  void started.ended.then(() => (hasEnded = true));
  const limit = performance.now() + START_LIMIT_MS;
  try {
    while (!(await answers(socketIn(data)))) {
      if (hasEnded) throw await explainEnd(data);
      if (performance.now() > limit)
        throw new OperatorError("failed", "the server does not answer", { next: logIn(data) });
      await wait(LOOK_AGAIN_MS, undefined, { signal });
    }
  } catch (error) {
    await endProcess(started.pid, "SIGKILL");
    signal.throwIfAborted();
    throw error;
  }
}

/** It greets who connects. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const end = (does: boolean): void => {
      connection.destroy();
      resolve(does);
    };
    connection.setTimeout(1_000, () => end(false));
    connection.once("error", () => end(false));
    connection.once("close", () => end(false));
    connection.once("data", () => end(true));
  });
}

async function explainEnd(data: string): Promise<OperatorError> {
  const log = await readFile(logIn(data), "utf8").catch(() => "");
  const errors = log.split("\n").filter((line) => line.includes("[ERROR]"));
  const said = errors.map((line) => line.replace(/^.*\[ERROR\] /, ""));
  return new OperatorError("failed", `the server has ended: ${said[0] ?? "it says nothing"}`, {
    details: said.slice(1, 4),
  });
}

/** Given the data, return the process of its server; undefined where none runs. */
export async function findRamServer(data: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFileIn(data), "utf8").catch(() => ""));
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  return words.includes(`--datadir=${data}`) ? pid : undefined;
}

/** Given the data, end its server: cleanly, for data that is kept, or at once. */
export async function stopRamServer(data: string, how: "SIGTERM" | "SIGKILL"): Promise<void> {
  const pid = await findRamServer(data);
  if (pid !== undefined) await endProcess(pid, how);
}

async function endProcess(pid: number, how: "SIGTERM" | "SIGKILL"): Promise<void> {
  const limit = performance.now() + STOP_LIMIT_MS;
  if (!sendSignal(pid, how)) return;
  while (sendSignal(pid, 0) && !(await isZombie(pid))) {
    if (performance.now() > limit)
      throw new OperatorError("failed", `the server, process ${pid}, does not end`);
    await wait(LOOK_AGAIN_MS);
  }
}

/** Whether there is such a process. */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
    throw error;
  }
}

/** It has ended, and who started it has not looked yet. */
async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
}
