import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import type { LabS3 } from "../lab/lab.ts";
import { startLab } from "../lab/start-lab.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { makeObjectGround, type ObjectGround, putMany } from "../support/object-ground.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio, type Spread } from "./ratio.ts";

const OBJECTS = 20_000;
const ROUNDS = 5;
const BARS = { nothing: 0.2, audited: 1, first: 0.5, memoryMb: 300 };

interface Setting {
  ground: ObjectGround;
  environment: Record<string, string>;
  s3: LabS3;
}

/** A way to copy the source to a bucket of that name. */
type Way = (setting: Setting, bucket: string) => Promise<number>;

type Time = (name: string, way: Way, bucket: string) => Promise<void>;

/** Measure `lcops backup run` of 20,000 objects into an empty bucket of the lab's S3 beside `s3cmd sync`. */
export function benchObjectsFirst(): Promise<Ratio[]> {
  return withObjects(async (setting) => {
    const { time, of, memory } = stopwatch(setting);
    for (let round = 0; round < ROUNDS; round++) {
      const [ours, theirs] = [`first-lcops-${round}`, `first-s3cmd-${round}`];
      await makeBuckets(setting, ours, theirs);
      await time("lcops", runLcops(7, memory), ours);
      await time("s3cmd", PEERS.s3cmd.way, theirs);
    }
    return [
      beside("the first copy", of("lcops"), "s3cmd", of("s3cmd"), BARS.first),
      peakOf("the first copy", memory),
    ];
  });
}

/** Measure it where nothing has changed, from the catalog and with the copy listed too, beside what else copies buckets. */
export function benchObjectsAgain(): Promise<Ratio[]> {
  return withObjects(async (setting) => {
    const peers = findPeers();
    const { time, of, memory } = stopwatch(setting);
    const [ours, theirs] = ["again-lcops", "again-peers"];
    await makeBuckets(setting, ours, theirs);
    await runLcops(7, [])(setting, ours);
    await PEERS.s3cmd.way(setting, theirs);
    for (let round = 0; round < ROUNDS; round++) {
      await time("nothing", runLcops(7, memory), ours);
      for (const name of peers) await time(name, PEERS[name].way, theirs);
      await time("audited", runLcops(0, memory), ours);
    }
    for (const name of peers)
      process.stderr.write(
        `bench objects: ${name}, nothing changed: ${of(name).median.toFixed(0)} ms\n`,
      );
    const fastest = peers
      .filter((name) => name !== "s3cmd")
      .toSorted((one, other) => of(one).median - of(other).median)[0];
    return [
      beside("nothing changed, by the catalog,", of("nothing"), "s3cmd", of("s3cmd"), BARS.nothing),
      ...(fastest
        ? [beside("nothing changed, audited,", of("audited"), fastest, of(fastest), BARS.audited)]
        : []),
      peakOf("runs with nothing changed", memory),
    ];
  });
}

async function withObjects(measure: (setting: Setting) => Promise<Ratio[]>): Promise<Ratio[]> {
  const lab = await startLab({ parts: ["s3"] });
  try {
    if (lab.s3?.server !== "versitygw")
      throw new Error("it needs a real S3 server: npm run lab:fetch builds versitygw");
    const { s3 } = lab;
    const ground = await makeObjectGround(s3, lab.aws?.endpointUrl ?? s3.url, s3.url);
    try {
      await putMany(ground, OBJECTS);
      return await measure({ ground, environment: peerEnvironment(ground, s3), s3 });
    } finally {
      ground.remove();
    }
  } finally {
    await lab.stop();
  }
}

async function makeBuckets({ ground }: Setting, ...names: string[]): Promise<void> {
  for (const Bucket of names) await ground.client.send(new CreateBucketCommand({ Bucket }));
}

function stopwatch(setting: Setting): {
  time: Time;
  of: (name: string) => Spread;
  memory: number[];
} {
  const times = new Map<string, number[]>();
  return {
    memory: [],
    time: async (name, way, bucket) => {
      const ms = await way(setting, bucket);
      times.set(name, [...(times.get(name) ?? []), ms]);
    },
    of: (name) => measureSpread(times.get(name) ?? []),
  };
}

const beside = (what: string, ours: Spread, name: Peer, peer: Spread, bar: number): Ratio => ({
  what: `${what} of ${OBJECTS} objects beside ${PEERS[name].shown}`,
  value: ours.median / peer.median,
  bar,
  rounds: ROUNDS,
  ours,
  peer,
});

function peakOf(what: string, memory: readonly number[]): Ratio {
  const peak = measureSpread([...memory]);
  return {
    what: `peak memory of ${what}`,
    value: Math.max(...memory),
    bar: BARS.memoryMb,
    unit: "MB",
    rounds: memory.length,
    ours: peak,
    peer: peak,
  };
}

/** The catalog is younger than a week; with 0 days the copy is listed each time. */
function runLcops(auditDays: number, memory: number[]): Way {
  return async ({ ground }, bucket) => {
    ground.copyTo({ bucket }, { auditDays });
    const { variables, readMb } = watchMemory(ground.folder);
    const words = [process.execPath, LCOPS, "backup", "run"];
    const ms = await timeProgram(words, { ...ground.environment, ...variables });
    memory.push(readMb());
    return ms;
  };
}

type Peer = "s3cmd" | "aws" | "rclone" | "s5cmd";

const PEERS: Record<Peer, { shown: string; way: Way }> = {
  s3cmd: {
    shown: "s3cmd sync",
    way: ({ ground, environment }, bucket) =>
      timeProgram(
        [
          "s3cmd",
          "-c",
          ground.at("s3cmd.cfg"),
          "--no-progress",
          "-q",
          "sync",
          `s3://${ground.source}/`,
          `s3://${bucket}/`,
        ],
        environment,
      ),
  },
  aws: {
    shown: "aws s3 sync",
    way: ({ ground, environment, s3 }, bucket) =>
      timeProgram(
        [
          findAws(),
          "--endpoint-url",
          s3.url,
          "s3",
          "sync",
          "--only-show-errors",
          `s3://${ground.source}/`,
          `s3://${bucket}/`,
        ],
        environment,
      ),
  },
  rclone: {
    shown: "rclone sync --checksum",
    way: ({ ground, environment }, bucket) =>
      timeProgram(
        ["rclone", "sync", "--checksum", `lab:${ground.source}`, `lab:${bucket}`],
        environment,
      ),
  },
  s5cmd: {
    shown: "s5cmd sync",
    way: ({ ground, environment, s3 }, bucket) =>
      timeProgram(
        [
          "s5cmd",
          "--endpoint-url",
          s3.url,
          "--log",
          "error",
          "sync",
          `s3://${ground.source}/*`,
          `s3://${bucket}/`,
        ],
        environment,
      ),
  },
};

const isOnPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));

/** Debian's, where it is there: others on the PATH may be a script that starts it. */
const findAws = (): string => (existsSync("/usr/bin/aws") ? "/usr/bin/aws" : "aws");

function findPeers(): Peer[] {
  const all = Object.keys(PEERS) as Peer[];
  const absent = all.filter((name) => !isOnPath(name));
  if (absent.includes("s3cmd"))
    throw new Error("s3cmd is not installed; apt-get install s3cmd awscli rclone brings the peers");
  for (const name of absent) process.stderr.write(`bench objects: left out, not here: ${name}\n`);
  return all.filter((name) => !absent.includes(name));
}

function peerEnvironment(ground: ObjectGround, s3: LabS3): Record<string, string> {
  const { accessKeyId, secretAccessKey } = s3.account;
  const host = s3.url.replace("http://", "");
  const settings = [
    `access_key = ${accessKeyId}`,
    `secret_key = ${secretAccessKey}`,
    `host_base = ${host}`,
    `host_bucket = ${host}`,
    "use_https = False",
    `bucket_location = ${s3.region}`,
  ];
  writeFileSync(ground.at("s3cmd.cfg"), `[default]\n${settings.join("\n")}\n`, { mode: 0o600 });
  return {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: ground.at("home"),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: s3.region,
    AWS_DEFAULT_REGION: s3.region,
    AWS_EC2_METADATA_DISABLED: "true",
    RCLONE_CONFIG_LAB_TYPE: "s3",
    RCLONE_CONFIG_LAB_PROVIDER: "Other",
    RCLONE_CONFIG_LAB_ENDPOINT: s3.url,
    RCLONE_CONFIG_LAB_REGION: s3.region,
    RCLONE_CONFIG_LAB_ACCESS_KEY_ID: accessKeyId,
    RCLONE_CONFIG_LAB_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

async function timeProgram(
  [program = "", ...words]: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const began = performance.now();
  const child = spawn(program, words, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} has ended with ${code}: ${said.slice(-500)}`);
  return performance.now() - began;
}
