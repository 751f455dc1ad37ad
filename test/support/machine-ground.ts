/** A copy of this machine's Apache and PHP, in mount and process namespaces of its own: what is toggled there is nowhere else. */
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { createPortPicker } from "../lab/free-port.ts";
import { type LcopsResult, type RunningLcops, startProgram } from "./run-lcops.ts";
import { openProgram, type Pty, type PtyOptions } from "./pty.ts";
import { LCOPS } from "./program.ts";

const ROOT = path.join(path.dirname(LCOPS), "..");
/** Where the program is seen in there: every user may read it. */
const LCOPS_INSIDE = "/mnt/bin/lcops.js";

const PROGRAMS = ["/usr/sbin/apache2", "/usr/sbin/phpenmod", "/usr/bin/sudo", "/usr/sbin/mariadbd"];

/** Return why there can be no such ground here; undefined where there can. */
export function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may copy /etc in a mount namespace";
  const missing = PROGRAMS.filter((program) => !existsSync(program));
  if (missing.length > 0) return `${missing.join(", ")} are not installed`;
  try {
    execFileSync("unshare", ["--mount", "--pid", "--fork", "true"], { stdio: "ignore" });
    accessSync("/var/lib/php/modules");
    return undefined;
  } catch (error) {
    return `no mount namespace: ${(error as Error).message}`;
  }
}

/** Bound over /usr/bin/systemctl. A file of /run/units is a unit; what is written in it goes for what would be observed. */
const SYSTEMCTL = `#!/bin/sh
# Stands in for systemd, which runs nowhere in here: of apache2 it is the real one that is started and observed.
action=$1
for unit; do :; done
file=/run/units/$unit
LoadState=loaded ActiveState=inactive SubState=dead Result=success NeedDaemonReload=no MainPID=0
[ -e "$file" ] || LoadState=not-found
if [ "$unit" = apache2 ] && kill -0 "$(cat /run/apache2/apache2.pid 2>/dev/null)" 2>/dev/null; then
  ActiveState=active SubState=running MainPID=$(cat /run/apache2/apache2.pid)
fi
[ -e "$file" ] && . "$file"
case $action in
  show) for name in LoadState ActiveState SubState Result NeedDaemonReload MainPID; do eval "echo $name=\\$$name"; done ;;
  start|stop|restart)
    [ "$unit" = apache2 ] || { echo "Job for $unit failed." >&2; exit 1; }
    . /etc/apache2/envvars
    if [ $action != start ]; then
      pid=$(cat /run/apache2/apache2.pid 2>/dev/null)
      apache2 -k stop 2>/dev/null
      while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    fi
    mkdir -p /run/apache2
    [ $action = stop ] || apache2 -k start 2>/dev/null ;;
  *) exit 1 ;;
esac
`;

const SETUP = `set -e
folder=$1 root=$2 port=$3
mount --make-rprivate /
for name in etc var/lib/php var/lib/apache2; do
  mkdir -p "$folder/copy/$name"
  cp -a "/$name/." "$folder/copy/$name"
  mount --bind "$folder/copy/$name" "/$name"
done
mkdir -p "$folder/www" && mount --bind "$folder/www" /var/www/html
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /dev/shm
mount --bind "$root" /mnt
[ ! -e /usr/bin/systemctl ] || mount --bind "$folder/systemctl" /usr/bin/systemctl
mkdir -p /var/log/apache2 /run/lock /run/units
echo "Listen 127.0.0.1:$port" > /etc/apache2/ports.conf
echo "ServerName localhost" > /etc/apache2/conf-enabled/name.conf
# Debian's script checks once a second whether Apache is up or down; here it checks more often, for as long.
sed -i 's/sleep 1$/sleep 0.05/; s/"20"/"400"/; s/= .60. /= 1200 /' /etc/init.d/apache2
rm -f /etc/apache2/sites-enabled/*
printf '<VirtualHost *:%s>\\nDocumentRoot /var/www/html\\n</VirtualHost>\\n' "$port" > /etc/apache2/sites-enabled/lab.conf
echo ready
sleep infinity & wait
`;

export interface MachineGround {
  folder: string;
  /** Run a command line of the system in there, as root, and return what it says. */
  run(...words: string[]): Promise<string>;
  lcops(words: readonly string[], options?: LcopsInside): Promise<LcopsResult>;
  start(words: readonly string[], options?: LcopsInside): RunningLcops;
  openPty(words: readonly string[], options?: Partial<PtyOptions> & LcopsInside): Pty;
  /** Writes a configuration and returns its path. */
  configure(workstation: object, rest?: object): string;
  /** What a page of /var/www/html says; undefined where nothing answers. */
  ask(page: string): Promise<unknown>;
  /** What Apache's PHP says that it has loaded, and Apache; undefined where nothing answers. */
  askApache(): Promise<{ php: string[]; apache: string[] } | undefined>;
  stop(): Promise<void>;
}

interface LcopsInside {
  config?: string;
  /** As another user than root. */
  user?: "nobody";
  timeoutMs?: number;
}

/** Makes such a ground. Apache does not run yet. */
export async function makeMachineGround(): Promise<MachineGround> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-machine-"));
  chmodSync(folder, 0o755);
  for (const name of ["home", "www"]) mkdirSync(path.join(folder, name));
  mkdirSync(path.join(folder, "nobody"), { mode: 0o777 });
  chmodSync(path.join(folder, "nobody"), 0o777);
  writeFileSync(path.join(folder, "systemctl"), SYSTEMCTL, { mode: 0o755 });
  writeFileSync(
    path.join(folder, "www/loaded.php"),
    "<?php echo json_encode(['php' => get_loaded_extensions(), 'apache' => apache_get_modules()]);",
  );
  const port = await createPortPicker()("127.0.0.1");
  const holder = await hold([folder, ROOT, String(port)]);
  const inside = await findInside(holder);
  const enter = ["nsenter", `--target=${inside}`, "--mount", "--pid", "--"];
  let configs = 0;
  const configure = (workstation: object, rest: object = {}): string => {
    const file = path.join(folder, `config-${++configs}.json`);
    writeFileSync(file, JSON.stringify({ workstation, ...rest }), { mode: 0o644 });
    return file;
  };
  const standard = configure({});
  const environmentOf = (user?: "nobody"): Record<string, string> => {
    const home = path.join(folder, user ?? "home");
    return { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", TMPDIR: "/tmp" };
  };
  const wordsOf = (
    words: readonly string[],
    { config = standard, user }: LcopsInside,
  ): string[] => [
    ...enter,
    ...(user === undefined ? [] : ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]),
    process.execPath,
    LCOPS_INSIDE,
    "--config",
    config,
    ...words,
  ];
  const ask = async (page: string): Promise<unknown> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/${page}`);
      return (await answer.json()) as unknown;
    } catch {
      return undefined;
    }
  };
  const start = (words: readonly string[], options: LcopsInside = {}): RunningLcops => {
    const [program = "", ...args] = wordsOf(words, options);
    return startProgram(program, args, {
      environment: environmentOf(options.user),
      timeoutMs: options.timeoutMs ?? 60_000,
    });
  };
  return {
    folder,
    configure,
    run: (...words) =>
      new Promise((resolve, reject) => {
        const [program = "", ...args] = [...enter, ...words];
        execFile(program, args, { timeout: 60_000 }, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
      }),
    start,
    lcops: (words, options) => start(words, options).ended,
    openPty: (words, { config, user, ...options } = {}) =>
      openProgram(
        wordsOf(words, { ...(config !== undefined && { config }), ...(user && { user }) }),
        {
          environment: environmentOf(user),
          ...options,
        },
      ),
    ask,
    askApache: async () =>
      (await ask("loaded.php")) as { php: string[]; apache: string[] } | undefined,
    stop: async () => {
      const ended = once(holder, "exit");
      holder.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** All that runs in the namespace ends with it. */
async function hold(args: readonly string[]): Promise<ChildProcess> {
  const flags = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
  const child = spawn("unshare", [...flags, "bash", "-c", SETUP, "bash", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = once(child.stdout, "data");
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the namespace could not be made: ${String(code)}`);
  });
  failed.catch(() => undefined);
  await Promise.race([ready, failed]);
  return child;
}

/** The first process in there is the child of `unshare`. */
async function findInside(holder: ChildProcess): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
  return Number(children.trim().split(" ")[0]);
}
