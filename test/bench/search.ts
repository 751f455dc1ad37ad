import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../support/known-config.ts";
import { cacheFolder } from "../lab/cache-folder.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { installSearchNode, type SearchNode } from "../support/search-node.ts";
import { measureSpread, type Ratio } from "./ratio.ts";

const PEER = "6.125.1";
/** Five days of logs, an index a day, one shard each, as a server makes them that is told nothing. */
const [DAYS, DOCUMENTS_PER_DAY] = [5, 100_000];
const DOCUMENTS = DAYS * DOCUMENTS_PER_DAY;
const ROUNDS = 5;
/** At least five times as fast as it comes, and twice with its pages as large as they may be. */
const [PLAIN_BAR, LARGE_BAR, MEMORY_BAR_MB] = [1 / 5, 1 / 2, 250];
const WAYS = ["lcops", "plain", "large"] as const;
type Way = (typeof WAYS)[number];

/** Measure `lcops backup run` of 500,000 documents, its set with hashes, facts and compression, beside elasticdump; and its memory. */
export async function benchSearch(): Promise<Ratio[]> {
  // Pages of 10,000 documents do not fit into the heap of the lab's.
  const node = await installSearchNode({ heap: "1g" });
  if (typeof node === "string") {
    process.stderr.write(`bench search: there is no OpenSearch: ${node}\n`);
    return process.exit(2);
  }
  try {
    const elasticdump = installPeer();
    await node.start();
    await fill(node.url);
    const samples: Record<Way, number[]> = { lcops: [], plain: [], large: [] };
    const memory: number[] = [];
    // The first round is not counted: it reads programs and documents from the disk.
    for (let round = -1; round < ROUNDS; round++) {
      for (const way of WAYS) {
        if (way === "lcops") {
          const { ms, peakMb } = await timeLcops(node);
          if (round >= 0) samples.lcops.push(ms);
          if (round >= 0) memory.push(peakMb);
        } else if (round >= 0 || way === "large") {
          const ms = await timePeer(node, elasticdump, way);
          if (round >= 0) samples[way].push(ms);
        }
      }
    }
    const ours = measureSpread(samples.lcops);
    const beside = (way: "plain" | "large", bar: number): Ratio => {
      const peer = measureSpread(samples[way]);
      const how = way === "plain" ? "as it comes" : "with --limit 10000";
      const what = `lcops backup run, an export of ${DOCUMENTS} documents, beside elasticdump ${how}`;
      return { what, value: ours.median / peer.median, bar, rounds: ROUNDS, ours, peer };
    };
    const peak = measureSpread(memory);
    return [
      beside("plain", PLAIN_BAR),
      beside("large", LARGE_BAR),
      {
        what: "its peak memory",
        value: peak.high,
        bar: MEMORY_BAR_MB,
        unit: "MB",
        rounds: ROUNDS,
        ours: peak,
        peer: peak,
      },
    ];
  } finally {
    await node.remove();
  }
}

/** Into the lab's cache, and no dependency of ours: it brings a hundred packages. */
function installPeer(): string {
  const folder = join(cacheFolder(process.env), `elasticdump-${PEER}`);
  const program = join(folder, "node_modules/elasticdump/bin/elasticdump");
  if (!existsSync(program))
    execFileSync(
      "npm",
      ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, `elasticdump@${PEER}`],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
  return program;
}

async function fill(url: string): Promise<void> {
  const PER_REQUEST = 10_000;
  // Numerical Recipes' generator: the same documents in every run.
  let noise = 1;
  const next = (below: number): number => {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((noise / 2 ** 32) * below);
  };
  const VERBS = ["GET", "POST", "PUT", "DELETE"];
  for (let day = 0; day < DAYS; day++) {
    const index = `logstash-2026.11.0${day + 1}`;
    await send(url, "PUT", `/${index}`, '{"settings":{"number_of_replicas":0}}');
    for (let at = 0; at < DOCUMENTS_PER_DAY; at += PER_REQUEST) {
      const lines = Array.from({ length: PER_REQUEST }, (_, line) => {
        const stamp = new Date(Date.UTC(2026, 10, day + 1) + (at + line) * 860).toISOString();
        const source = {
          "@timestamp": stamp,
          host: `prod-api3-${next(8)}`,
          level: ["info", "info", "info", "warn", "error"][next(5)],
          message: `${VERBS[next(4)]} /exercises/${next(90_000)}/answers?student=${next(40_000)} ${next(600)} ms, ${next(9_000)} bytes, agent Mozilla/5.0 (X11; Linux x86_64)`,
          status: [200, 200, 200, 304, 404, 500][next(6)],
          tags: ["nginx", "access"],
        };
        return `{"index":{}}\n${JSON.stringify(source)}\n`;
      });
      await send(url, "POST", `/${index}/_bulk`, lines.join(""));
    }
    await send(url, "POST", `/${index}/_forcemerge?max_num_segments=1`, "");
  }
}

async function send(url: string, method: string, path: string, body: string): Promise<void> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      "content-type": path.includes("_bulk") ? "application/x-ndjson" : "application/json",
    },
    ...(body !== "" && { body }),
  });
  const text = await answer.text();
  if (!answer.ok || text.includes('"errors":true'))
    throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
}

async function timeLcops(node: SearchNode): Promise<{ ms: number; peakMb: number }> {
  const sets = join(node.folder, "sets");
  const home = join(node.folder, "home");
  await mkdir(home, { recursive: true });
  const configPath = join(node.folder, "lcops.config.json");
  const config: Config = {
    environments: { dev: { production: false } },
    services: {
      logs: { kind: "elasticsearch", environment: "dev", address: "127.0.0.1", port: node.port },
    },
    backups: {
      destinations: { operator: { folder: sets } },
      recipients: [],
      jobs: { logs: { service: "logs", elasticsearch: { way: "export" } } },
    },
  };
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  const { variables, readMb } = watchMemory(node.folder);
  const words = [process.execPath, LCOPS, "--config", configPath, "backup", "run"];
  const ms = await time(words, { HOME: home, ...variables });
  const [manifest = ""] = execFileSync("find", [join(sets, "manifests"), "-name", "*.json"])
    .toString()
    .split("\n");
  const { totals } = JSON.parse(await readFile(manifest, "utf8")) as {
    totals: { rows: number };
  };
  if (totals.rows !== DOCUMENTS) throw new Error(`lcops has ${totals.rows} documents`);
  // Else the next would refer to this one.
  await rm(sets, { recursive: true });
  return { ms, peakMb: readMb() };
}

async function timePeer(
  node: SearchNode,
  program: string,
  way: "plain" | "large",
): Promise<number> {
  const result = join(node.folder, "peer.ndjson");
  const words = [
    process.execPath,
    program,
    `--input=${node.url}/logstash-*`,
    `--output=${result}`,
    "--type=data",
    ...(way === "large" ? ["--limit=10000"] : []),
  ];
  const ms = await time(words, { HOME: node.folder });
  const lines = Number(execFileSync("wc", ["-l", result]).toString().split(" ")[0]);
  if (lines !== DOCUMENTS) throw new Error(`elasticdump has ${lines} documents`);
  await rm(result);
  return ms;
}

async function time(words: readonly string[], more: Record<string, string>): Promise<number> {
  const [program = "", ...rest] = words;
  const environment = { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8", ...more };
  const beganMs = performance.now();
  const child = spawn(program, rest, { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${rest[0]} has ended with ${code}`);
  return performance.now() - beganMs;
}
