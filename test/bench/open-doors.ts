import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { freePort, stopChild, type TestGround } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { type BareTunnel, writeTunnel } from "../support/bare-tunnel.ts";
import { isListening } from "../support/ground.ts";
import { startLcops } from "../support/run-lcops.ts";

/** In each round in turn. */
export const WAYS = ["lcops", "ssh -L", "ssh -L aes128-gcm"] as const;
export type Way = (typeof WAYS)[number];

export interface Doors {
  /** Ports of this machine that lead to the service. */
  ports: Record<Way, number>;
  /** The most memory that lcops has had since the last call, over what it had when it was ready. */
  readGrowthMb(): Promise<number>;
  close(): Promise<void>;
}

interface Sshd {
  address: string;
  port: number;
}

const limitMs = 1_800_000;

/** Given where an sshd is reached and a port of its machine, open a tunnel to that port in each way. */
export async function openDoors(
  ground: TestGround,
  sshd: Sshd,
  hostKeys: readonly string[],
  service: number,
): Promise<Doors> {
  const tunnel = await writeTunnel(ground, sshd, hostKeys, service);
  const { configFile } = tunnel;
  const lcops = await openLcops(ground, tunnel);
  const openSsh = async (...words: string[]): Promise<{ port: number; stop(): Promise<void> }> => {
    const port = await freePort("127.0.0.1");
    const forward = `127.0.0.1:${port}:127.0.0.1:${service}`;
    const child = spawn(
      "ssh",
      ["-N", "-F", configFile, "-p", String(sshd.port), "-L", forward, ...words, sshd.address],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const stop = (): Promise<void> => stopChild(child);
    ground.onStop(stop);
    await until("ssh -L listens", () => isListening(port));
    return { port, stop };
  };
  const usual = await openSsh();
  const gcm = await openSsh("-c", "aes128-gcm@openssh.com");
  return {
    ports: { lcops: lcops.port, "ssh -L": usual.port, "ssh -L aes128-gcm": gcm.port },
    readGrowthMb: lcops.readGrowthMb,
    close: async () => {
      for (const door of [lcops, usual, gcm]) await door.stop();
    },
  };
}

async function openLcops(
  ground: TestGround,
  { port, environment }: BareTunnel,
): Promise<{ port: number; readGrowthMb(): Promise<number>; stop(): Promise<void> }> {
  const tunnel = startLcops(["tunnel", "open", "bulk"], { environment, timeoutMs: limitMs });
  const stop = async (): Promise<void> => {
    tunnel.send("SIGTERM");
    await tunnel.ended;
  };
  ground.onStop(stop);
  await tunnel.waitFor(/ready \(/);
  const read = async (name: "VmRSS" | "VmHWM"): Promise<number> => {
    const status = await readFile(`/proc/${tunnel.pid}/status`, "utf8");
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  };
  const begin = await read("VmRSS");
  return {
    port,
    stop,
    readGrowthMb: async () => {
      const peak = await read("VmHWM");
      // Five: the peak begins anew (proc(5)).
      await writeFile(`/proc/${tunnel.pid}/clear_refs`, "5");
      return peak - begin;
    },
  };
}
