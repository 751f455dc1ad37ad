import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { runProgram } from "./program.ts";

export interface PortHolder {
  pid: number;
  /** Name of the program, as the kernel knows it. */
  program: string;
}

/**
 * Given a TCP port of this machine, return who listens on it, or undefined where that cannot be seen
 * (another user's program, as an ordinary user). Linux answers from /proc, other systems through lsof.
 */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  return process.platform === "linux" ? findInProc(port) : findWithLsof(port);
}

async function findInProc(port: number): Promise<PortHolder | undefined> {
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const lines = (await readFile(table, "utf8").catch(() => "")).split("\n").slice(1);
    for (const line of lines) {
      // proc_net_tcp(5): sl, local address:port in hex, remote, state (0A is LISTEN), …, the inode tenth.
      const columns = line.trim().split(/\s+/);
      const localPort = Number.parseInt(columns[1]?.split(":")[1] ?? "", 16);
      if (localPort === port && columns[3] === "0A" && columns[9])
        inodes.add(`socket:[${columns[9]}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (!inodes.has(target)) continue;
      return { pid: Number(pid), program: await nameProgram(pid) };
    }
  }
  return undefined;
}

/** Returns the name of a process. Node 24 calls all of its own MainThread, so that their file says more. */
async function nameProgram(pid: string): Promise<string> {
  const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?")).trim();
  if (name !== "MainThread") return name;
  return basename(await readlink(`/proc/${pid}/exe`).catch(() => name));
}

async function findWithLsof(port: number): Promise<PortHolder | undefined> {
  const result = await runProgram("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]).catch(
    () => undefined,
  );
  const pid = result?.stdout.match(/^p(\d+)$/m)?.[1];
  const program = result?.stdout.match(/^c(.+)$/m)?.[1];
  return pid && program ? { pid: Number(pid), program } : undefined;
}
