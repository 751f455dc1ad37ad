import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { watchMemory } from "../support/aws-ground.ts";
import { makeRedisServers, type RedisServer } from "../support/redis-servers.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";

const [MANY, OTHERS] = [2_000_000, 20_000];
const ROUNDS = 3;
/** Of another client's longest wait; of the time beside the peer's; of the memory. */
const [PING_BAR_MS, TIME_BAR, MEMORY_BAR_MB] = [50, 1, 150];

interface Sample {
  ms: number;
  worstMs: number;
  memoryMb: number;
}
type Way = "lcops" | "xargs";

/**
 * Measure `lcops redis flush --pattern` of 2,000,000 keys beside `redis-cli --scan | xargs redis-cli unlink`: the time, all that ours does before and
 * after included (it counts, asks, proves), and what another client waits at the longest meanwhile.
 */
export async function benchRedis(): Promise<Ratio[]> {
  const servers = makeRedisServers();
  try {
    const server = await servers.start();
    const samples: Record<Way, Sample[]> = { lcops: [], xargs: [] };
    for (let round = 0; round < ROUNDS; round++)
      for (const way of ["lcops", "xargs"] as const)
        samples[way].push(await measure(server, servers.folder, way));
    const of = (way: Way, name: keyof Sample) =>
      measureSpread(samples[way].map((sample) => sample[name]));
    const worst = (way: Way): number => Math.max(...samples[way].map(({ worstMs }) => worstMs));
    const [ours, peer] = [of("lcops", "ms"), of("xargs", "ms")];
    const what = `lcops redis flush of ${MANY} keys by pattern`;
    const memory = of("lcops", "memoryMb");
    process.stderr.write(`worst ping beside xargs: ${worst("xargs").toFixed(1)} ms\n`);
    return [
      {
        what: `another client's worst ping during ${what}, of all rounds`,
        value: worst("lcops"),
        bar: PING_BAR_MS,
        unit: "ms",
        rounds: ROUNDS,
        ours: of("lcops", "worstMs"),
        peer: of("xargs", "worstMs"),
      },
      {
        what: `${what}, counted before and proven after, beside redis-cli --scan | xargs redis-cli unlink`,
        value: ours.median / peer.median,
        bar: TIME_BAR,
        rounds: ROUNDS,
        ours,
        peer,
      },
      {
        what: "its peak memory",
        value: memory.high,
        bar: MEMORY_BAR_MB,
        unit: "MB",
        rounds: ROUNDS,
        ours: memory,
        peer: memory,
      },
    ];
  } finally {
    await servers.stop();
  }
}

async function measure(server: RedisServer, folder: string, way: Way): Promise<Sample> {
  await server.ask("FLUSHALL");
  await server.fill("sess", MANY);
  await server.fill("other", OTHERS);
  const pinging = await startPinging(server.port);
  const begin = performance.now();
  const memoryMb = await (way === "lcops" ? flush(server, folder) : unlink(server));
  const ms = performance.now() - begin;
  const worstMs = await pinging.stop();
  const left = Number(await server.ask("DBSIZE"));
  if (left !== OTHERS) throw new Error(`${left} keys are left by ${way}, not ${OTHERS}`);
  return { ms, worstMs, memoryMb };
}

async function startPinging(port: number): Promise<{ stop: () => Promise<number> }> {
  const words = ["--import", "tsx", join(import.meta.dirname, "ping-redis.ts"), String(port)];
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    stop: async () => {
      const answered = once(child.stdout, "data");
      child.stdin.end();
      const [line] = (await answered) as [Buffer];
      const { pings, worstMs } = JSON.parse(line.toString()) as { pings: number; worstMs: number };
      if (pings < 100) throw new Error(`only ${pings} pings were answered`);
      return worstMs;
    },
  };
}

async function flush(server: RedisServer, folder: string): Promise<number> {
  const config = {
    environments: { dev: { production: false } },
    services: {
      cache: { kind: "redis", environment: "dev", address: "127.0.0.1", port: server.port },
    },
  };
  const path = join(folder, "lcops.config.json");
  await writeFile(path, JSON.stringify(config));
  const { variables, readMb } = watchMemory(folder);
  const words = [LCOPS, "redis", "flush", "cache", "--pattern", "sess:*", "--yes"];
  const environment = { PATH: process.env["PATH"] ?? "", HOME: folder, LCOPS_CONFIG: path };
  await run([process.execPath, ...words], { ...environment, ...variables });
  return readMb();
}

async function unlink({ port }: RedisServer): Promise<number> {
  const script = `redis-cli -p ${port} --scan --pattern 'sess:*' | xargs redis-cli -p ${port} unlink`;
  await run(["sh", "-c", script], { PATH: process.env["PATH"] ?? "" });
  return 0;
}

async function run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const [program = "", ...rest] = words;
  const child = spawn(program, rest, { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}
