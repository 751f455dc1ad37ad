import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planSegments } from "../../src/services/dynamodb/scan-table.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";
import { ITEM_BYTES } from "./recorded-items.ts";

/** For the memory. */
const [FEW, MANY] = [100_000, 1_000_000];
/**
 * For the speed; the start of our program counts, that of the loop does not. The loop reads the larger table: of a small one, in four
 * segments, the latency of 17 pages one after the other is already a third of what the loop takes.
 */
const [LOOP_ITEMS, PROGRAM_ITEMS] = [MANY, 200_000];
const LATENCIES_MS = [0, 40];
const [ROUNDS, MEMORY_ROUNDS] = [3, 7];
/** At least three times the items a second, and five times. */
const [SDK_BAR, AWS_BAR] = [1 / 3, 1 / 5];
const [MEMORY_BAR_MB, GROWTH_BAR] = [200, 1.15];
/** Debian's own, before any other of the same name. */
const AWS_PROGRAMS = ["/usr/bin/aws", "aws"];

type Variables = Record<string, string>;

interface Setting {
  folder: string;
  environment: Variables;
}

interface Peer {
  what: string;
  bar: number;
  /** Milliseconds of reading all items; throws where there are others than these. */
  time: (segments: number, environment: Variables, items: number) => Promise<number>;
}

/** Measure `lcops dyn dump-table` beside a scan loop of the stock client, `aws dynamodb scan` and dynein, all in the same segments; and its memory. */
export async function benchDynamodb(): Promise<Ratio[]> {
  const aws = AWS_PROGRAMS.find((program) => spawnSync(program, ["--version"]).status === 0);
  if (aws === undefined) {
    process.stderr.write(
      "bench dynamodb: aws is missing; apt-get install -y --no-install-recommends awscli\n",
    );
    return process.exit(2);
  }
  const hasDynein = spawnSync("dy", ["--version"]).status === 0;
  if (!hasDynein)
    process.stderr.write("bench dynamodb: dynein (dy) is not built here, and left out\n");
  const folder = await mkdtemp(join(tmpdir(), "lcops-bench-"));
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: folder,
    LCOPS_CONFIG: join(folder, "lcops.config.json"),
    AWS_ACCESS_KEY_ID: "AKIABENCH00000000000",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_REGION: "us-west-2",
    AWS_DEFAULT_REGION: "us-west-2",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    AWS_PAGER: "",
  };
  const config = { environments: { prod: { aws: { regions: ["us-west-2"] } } } };
  await writeFile(environment.LCOPS_CONFIG, JSON.stringify(config));
  try {
    const ratios: Ratio[] = [];
    const loop: Peer = { what: "a scan loop of the stock client", bar: SDK_BAR, time: timeSdk };
    const programs: Peer[] = [
      {
        what: "aws dynamodb scan",
        bar: AWS_BAR,
        time: (segments, variables) => timeAws(aws, segments, variables),
      },
      ...(hasDynein
        ? [
            {
              what: "dy export, which has no segments",
              bar: 1,
              time: (_segments: number, variables: Variables) => timeDynein(folder, variables),
            },
          ]
        : []),
    ];
    for (const latencyMs of LATENCIES_MS) {
      const setting = { folder, environment };
      ratios.push(...(await compareSpeed(setting, LOOP_ITEMS, latencyMs, [loop])));
      ratios.push(...(await compareSpeed(setting, PROGRAM_ITEMS, latencyMs, programs)));
    }
    return [...ratios, ...(await compareMemory({ folder, environment }))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compareSpeed(
  setting: Setting,
  items: number,
  latencyMs: number,
  peers: readonly Peer[],
): Promise<Ratio[]> {
  const segments = planSegments({ bytes: items * ITEM_BYTES }).length;
  return withPages(items, latencyMs, setting, async (environment) => {
    const mine: number[] = [];
    const theirs = peers.map((): number[] => []);
    // The first of each is not counted: it reads the programs from the disk.
    for (let round = -1; round < ROUNDS; round++) {
      const tookMs = await timeDump(setting.folder, environment, items);
      if (round >= 0) mine.push(tookMs);
      for (const [index, peer] of peers.entries()) {
        const peerMs = await peer.time(segments, environment, items);
        if (round >= 0) theirs[index]?.push(peerMs);
      }
    }
    const where = `${items} items in ${segments} segments, ${latencyMs} ms of latency`;
    const ours = measureSpread(mine);
    return peers.map(({ what, bar }, index): Ratio => {
      const peer = measureSpread(theirs[index] ?? []);
      return {
        what: `lcops dyn dump-table beside ${what}, ${where}`,
        value: ours.median / peer.median,
        bar,
        rounds: ROUNDS,
        ours,
        peer,
      };
    });
  });
}

async function compareMemory(setting: Setting): Promise<Ratio[]> {
  const measure = async (items: number): Promise<number[]> =>
    withPages(items, 0, setting, async (environment) => {
      const { variables, readMb } = watchMemory(setting.folder);
      const samples: number[] = [];
      for (let round = 0; round < MEMORY_ROUNDS; round++) {
        await timeDump(setting.folder, { ...environment, ...variables }, items);
        samples.push(readMb());
      }
      return samples;
    });
  const [few, many] = [measureSpread(await measure(FEW)), measureSpread(await measure(MANY))];
  const what = `peak memory of lcops dyn dump-table at ${MANY} items`;
  const common = { rounds: MEMORY_ROUNDS, ours: many };
  return [
    { ...common, what, value: many.median, bar: MEMORY_BAR_MB, unit: "MB", peer: many },
    {
      ...common,
      what: `${what}, beside ${FEW}`,
      value: many.median / few.median,
      bar: GROWTH_BAR,
      sides: "MB",
      peer: few,
    },
  ];
}

/** Serves the recorded pages from a process of its own while `use` runs. */
async function withPages<T>(
  items: number,
  latencyMs: number,
  { environment }: Setting,
  use: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  const script = join(import.meta.dirname, "serve-pages.ts");
  const words = ["--import", "tsx", script, String(items), String(latencyMs)];
  const server = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(server, "exit");
  try {
    const [line] = (await Promise.race([once(server.stdout, "data"), ended])) as [unknown];
    const url = String(line).trim();
    if (!url.startsWith("http://127.0.0.1:")) throw new Error("the pages are not served");
    return await use({ ...environment, AWS_ENDPOINT_URL: url });
  } finally {
    server.stdin.end();
    await ended;
  }
}

/** Runs a program to its end; returns what it has printed. Throws where it fails. */
async function run(words: readonly string[], env: Record<string, string>): Promise<string> {
  const [program = "", ...rest] = words;
  const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}`);
  return Buffer.concat(chunks).toString();
}

const expectItems = (found: number, items: number): void => {
  if (found !== items) throw new Error(`${found} items instead of ${items}`);
};

/** All of it: the start of the program, the file, its hash. */
async function timeDump(folder: string, environment: Variables, items: number): Promise<number> {
  const file = join(folder, "patterns.json");
  const began = performance.now();
  await run([process.execPath, LCOPS, "dyn", "dump-table", "patterns", "-o", file], environment);
  const took = performance.now() - began;
  const manifest = JSON.parse(await readFile(`${file}.manifest.json`, "utf8")) as { items: number };
  expectItems(manifest.items, items);
  return took;
}

/** The loop alone, without the start of its program, and without a file. */
async function timeSdk(
  segments: number,
  environment: Variables,
  expected: number,
): Promise<number> {
  const script = join(import.meta.dirname, "scan-loop.ts");
  const words = [process.execPath, "--import", "tsx", script, String(segments)];
  const { items, ms } = JSON.parse(await run(words, environment)) as { items: number; ms: number };
  expectItems(items, expected);
  return ms;
}

/** A process for each segment, all at once. */
async function timeAws(
  aws: string,
  segments: number,
  environment: Record<string, string>,
): Promise<number> {
  const began = performance.now();
  const outputs = await Promise.all(
    Array.from({ length: segments }, (_, segment) => {
      const scan = ["--endpoint-url", environment["AWS_ENDPOINT_URL"] ?? "", "dynamodb", "scan"];
      const part = ["--segment", String(segment), "--total-segments", String(segments)];
      return run([aws, ...scan, "--table-name", "patterns", ...part], environment);
    }),
  );
  const took = performance.now() - began;
  // It prints each item over many lines, its key once.
  expectItems(
    outputs.reduce((sum, output) => sum + (output.match(/"pattern": /g)?.length ?? 0), 0),
    PROGRAM_ITEMS,
  );
  return took;
}

async function timeDynein(folder: string, environment: Record<string, string>): Promise<number> {
  const file = join(folder, "dynein.jsonl");
  const port = new URL(environment["AWS_ENDPOINT_URL"] ?? "").port;
  const place = ["--region", "local", "--port", port, "--table", "patterns"];
  const began = performance.now();
  await run(["dy", ...place, "export", "--format", "jsonl", "--output-file", file], environment);
  return performance.now() - began;
}
