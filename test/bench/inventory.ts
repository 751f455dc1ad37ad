import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";

const REGIONS = ["eu-west-1", "us-west-2", "ap-northeast-1"];
const ROUNDS = 5;
const BAR = 0.5;
const MEMORY_BAR_MB = 150;
const MANY = 25_000;
/** Debian's own, before any other of the same name. */
const AWS_PROGRAMS = ["/usr/bin/aws", "aws"];

/** Measure `lcops hosts --refresh` over three regions beside `aws ec2 describe-instances` once per region, and its memory at 25,000 instances. */
export async function benchInventory(): Promise<Ratio[]> {
  const aws = AWS_PROGRAMS.find((program) => spawnSync(program, ["--version"]).status === 0);
  if (aws === undefined) {
    process.stderr.write(
      "bench inventory: aws is missing; apt-get install -y --no-install-recommends awscli\n",
    );
    return process.exit(2);
  }
  const folder = await mkdtemp(join(tmpdir(), "lcops-bench-"));
  const configPath = join(folder, "lcops.config.json");
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: folder,
    LCOPS_CONFIG: configPath,
    AWS_ACCESS_KEY_ID: "AKIABENCH00000000000",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  const config = { environments: { prod: { aws: { regions: REGIONS } } } };
  await writeFile(configPath, JSON.stringify(config));
  try {
    const time = await withEndpoint(1000, REGIONS, (url) => {
      const variables = { ...environment, AWS_ENDPOINT_URL: url };
      const [ours, peer]: [number[], number[]] = [[], []];
      // The first of each is not counted: it reads the programs from the disk.
      for (let round = -1; round < ROUNDS; round++) {
        const mine = timeRuns([[process.execPath, LCOPS, "hosts", "--refresh"]], variables, 3000);
        const theirs = timeRuns(
          REGIONS.map((region) => [
            aws,
            "--endpoint-url",
            url,
            "--region",
            region,
            "--output",
            "text",
            "ec2",
            "describe-instances",
          ]),
          variables,
          3000,
        );
        if (round < 0) continue;
        ours.push(mine);
        peer.push(theirs);
      }
      return compare(ours, peer);
    });
    const memory = await withEndpoint(MANY, REGIONS.slice(0, 1), (url) => {
      const { variables, readMb } = watchMemory(folder);
      const samples = Array.from({ length: ROUNDS }, () => {
        timeRuns(
          [[process.execPath, LCOPS, "hosts", "--refresh"]],
          { ...environment, ...variables, AWS_ENDPOINT_URL: url },
          MANY,
        );
        return readMb();
      });
      const ours = measureSpread(samples);
      return {
        what: `peak memory of lcops hosts --refresh at ${MANY} instances`,
        value: ours.median,
        bar: MEMORY_BAR_MB,
        unit: "MB" as const,
        rounds: ROUNDS,
        ours,
        peer: ours,
      };
    });
    return [time, memory];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Serves that many instances in each region while `use` runs: in another process, as `use` blocks this one. */
async function withEndpoint<T>(
  count: number,
  regions: readonly string[],
  use: (url: string) => T,
): Promise<T> {
  const script = join(import.meta.dirname, "serve-instances.ts");
  const server = spawn(process.execPath, ["--import", "tsx", script, String(count), ...regions], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  try {
    const [line] = (await Promise.race([once(server.stdout, "data"), ended])) as [unknown];
    const url = String(line).trim();
    if (!url.startsWith("http://127.0.0.1:")) throw new Error("the endpoint does not start");
    return use(url);
  } finally {
    server.stdin.end();
    await ended;
  }
}

/** Run the command lines one after the other; returns the milliseconds of all. Throws unless all succeed and name that many instances. */
function timeRuns(
  lines: readonly (readonly string[])[],
  environment: Record<string, string>,
  instances: number,
): number {
  let found = 0;
  const began = performance.now();
  const outputs = lines.map(([program = "", ...words]) => {
    const { status, stdout, stderr } = spawnSync(program, words, {
      env: environment,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      timeout: 120_000,
    });
    if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${status}\n${stderr}`);
    return stdout;
  });
  const took = performance.now() - began;
  for (const output of outputs) found += new Set(output.match(/\bi-[0-9a-f]{17}\b/g)).size;
  if (found !== instances) throw new Error(`${found} instances instead of ${instances}`);
  return took;
}

function compare(ours: readonly number[], peer: readonly number[]): Ratio {
  const [mine, theirs] = [measureSpread(ours), measureSpread(peer)];
  return {
    what: "lcops hosts --refresh beside aws ec2 describe-instances, 3 regions of 1000",
    value: mine.median / theirs.median,
    bar: BAR,
    rounds: ROUNDS,
    ours: mine,
    peer: theirs,
  };
}
