/** Servers of Redis that one test file has of its own. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { createPortPicker } from "../lab/free-port.ts";
import { exchange, waitUntilReady } from "../lab/ready.ts";

export interface RedisServer {
  port: number;
  pid: number;
  /** What redis-cli prints of a command, in which `password` logs in. */
  ask: (...words: string[]) => Promise<string>;
  /** The same in another database. */
  askIn: (database: number, ...words: string[]) => Promise<string>;
  /** Makes so many keys `PREFIX:0`, `PREFIX:1`, …, in that database. */
  fill: (prefix: string, count: number, database?: number) => Promise<void>;
  /** Ends it, as a crash would. */
  kill: () => Promise<void>;
}

export interface RedisServers {
  folder: string;
  /** Starts one with further words of a configuration; `password` is with what `ask` logs in. */
  start: (settings?: readonly string[], password?: string) => Promise<RedisServer>;
  stop: () => Promise<void>;
}

const run = promisify(execFile);

/** Returns a starter of servers on loopback, and how to end them all. */
export function makeRedisServers(): RedisServers {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-redis-"));
  const pick = createPortPicker();
  const children: ChildProcess[] = [];
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return {
    folder,
    start: async (settings = [], password) => {
      const port = await pick("127.0.0.1");
      // Each has a folder of its own: what one writes for its replica, another would load.
      const own = path.join(folder, String(port));
      mkdirSync(own);
      const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", own];
      const base = [...place, "--save", "", "--enable-debug-command", "yes"];
      const child = spawn("redis-server", [...base, ...settings], { stdio: "ignore" });
      children.push(child);
      await waitUntilReady("redis-server", () =>
        exchange({ address: "127.0.0.1", port }, "PING\r\n", (answer) =>
          /^(\+PONG|-NOAUTH)/.test(answer.toString()),
        ),
      );
      const login = password === undefined ? [] : ["--no-auth-warning", "-a", password];
      const askIn: RedisServer["askIn"] = async (database, ...words) => {
        const which = ["-p", String(port), "-n", String(database)];
        return (await run("redis-cli", [...which, ...login, ...words])).stdout.trimEnd();
      };
      return {
        port,
        pid: child.pid ?? 0,
        ask: (...words) => askIn(0, ...words),
        askIn,
        fill: async (prefix, count, database = 0) => {
          await askIn(database, "DEBUG", "POPULATE", String(count), prefix, "20");
        },
        kill: () => end(child),
      };
    },
    stop: async () => {
      await Promise.all(children.map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
