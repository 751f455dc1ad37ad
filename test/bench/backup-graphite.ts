import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Config } from "../support/known-config.ts";
import { makeGround, startSshd, type TestGround, user } from "../ssh/start-sshd.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";
import { readCpuSeconds, timeCommand, type Timing } from "./time-command.ts";

const FILES = 10_000;
/** Seconds of a point and how many points: a day by the minute, ten days by five minutes. */
const ARCHIVES = [
  [60, 1440],
  [300, 2880],
] as const;
const ROUNDS = 5;
const [TIME_BAR, MEMORY_BAR_MB] = [0.5, 300];
const WAYS = ["plain", "encrypted", "tar"] as const;
type Way = (typeof WAYS)[number];

interface Setting {
  ground: TestGround;
  whisper: string;
  configFile: string;
  address: string;
  /** Of the machine with the files, so far. */
  readFarCpu: () => Promise<number>;
  environment: Record<string, string>;
  recipient: string;
}

interface Sample extends Timing {
  memoryMb: number;
}

/** Measure `lcops backup run` of 10,000 whisper files over ssh, its set with hashes, index and facts, beside `ssh tar czf -`; and its memory. */
export async function benchBackupGraphite(): Promise<Ratio[]> {
  const ground = await makeGround();
  try {
    const setting = await prepare(ground);
    const samples: Record<Way, Sample[]> = { plain: [], encrypted: [], tar: [] };
    // The first round is not counted: it reads the files from the disk.
    for (let round = -1; round < ROUNDS; round++) {
      for (const way of WAYS) {
        const sample = await (way === "tar" ? timeTar(setting) : timeLcops(setting, way));
        if (round >= 0) samples[way].push(sample);
      }
    }
    const of = (way: Way, name: keyof Sample) =>
      measureSpread(samples[way].map((sample) => sample[name]));
    const cpu = WAYS.map((way) => `${way} ${of(way, "cpuSeconds").median.toFixed(1)} s`);
    process.stderr.write(`bench backup: CPU time on both sides, median: ${cpu.join(", ")}\n`);
    const beside = (way: Way): Ratio => {
      const [ours, peer] = [of(way, "ms"), of("tar", "ms")];
      const what = `lcops backup run of ${FILES} whisper files, ${way}, beside ssh tar czf -`;
      return { what, value: ours.median / peer.median, bar: TIME_BAR, rounds: ROUNDS, ours, peer };
    };
    const memory = (way: Way): Ratio => {
      const ours = of(way, "memoryMb");
      const what = `its peak memory, ${way}`;
      const common = { bar: MEMORY_BAR_MB, unit: "MB", rounds: ROUNDS } as const;
      return { ...common, what, value: ours.high, ours, peer: ours };
    };
    return [beside("plain"), beside("encrypted"), memory("plain"), memory("encrypted")];
  } finally {
    await ground.stop();
  }
}

async function prepare(ground: TestGround): Promise<Setting> {
  const whisper = join(ground.folder, "whisper");
  await writeFiles(whisper);
  const sshd = await startSshd(ground, "sshd");
  const configFile = join(ground.folder, "ssh_config");
  const knownHosts = join(ground.folder, "known_hosts");
  await writeFile(knownHosts, `${sshd.knownHosts.join("\n")}\n`);
  const settings = [
    "Host *",
    `User ${user}`,
    `Port ${sshd.port}`,
    `IdentityFile ${ground.key}`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${knownHosts}`,
    "GlobalKnownHostsFile /dev/null",
    "BatchMode yes",
  ];
  await writeFile(configFile, `${settings.join("\n")}\n`);
  const pid = (await readFile(join(ground.folder, "sshd", "pid"), "utf8")).trim();
  return {
    ground,
    whisper,
    configFile,
    address: sshd.address,
    readFarCpu: () => readCpuSeconds(pid, "children"),
    environment: {
      PATH: process.env["PATH"] ?? "",
      LANG: "C.UTF-8",
      HOME: ground.folder,
    },
    recipient: await identityToRecipient(await generateX25519Identity()),
  };
}

/** Every file is another one, with values such as counters and timers have. */
async function writeFiles(root: string): Promise<void> {
  const PER_FOLDER = 100;
  const now = 1_760_000_000;
  for (let index = 0; index < FILES; index++) {
    const folder = join(root, `stats${index % 4}`, `host${Math.floor(index / PER_FOLDER)}`);
    if (index % PER_FOLDER < 4) await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `metric${index}.wsp`), makeFile(now, index));
  }
}

/** The format of whisper.py; the points go round in their archive, as they do on a disk. */
function makeFile(now: number, seed: number): Buffer {
  const header = 16 + 12 * ARCHIVES.length;
  const points = ARCHIVES.reduce((sum, [, count]) => sum + count, 0);
  const file = Buffer.alloc(header + 12 * points);
  file.writeUInt32BE(1, 0);
  file.writeUInt32BE(Math.max(...ARCHIVES.map(([step, count]) => step * count)), 4);
  file.writeFloatBE(0.5, 8);
  file.writeUInt32BE(ARCHIVES.length, 12);
  let offset = header;
  let noise = seed + 1;
  for (const [archive, [step, count]] of ARCHIVES.entries()) {
    file.writeUInt32BE(offset, 16 + 12 * archive);
    file.writeUInt32BE(step, 20 + 12 * archive);
    file.writeUInt32BE(count, 24 + 12 * archive);
    for (let point = 0; point < count; point++) {
      const at = offset + 12 * ((point + seed * 7) % count);
      // Numerical Recipes' generator: the same files in every run.
      noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
      const busy = 1 + Math.sin(point / 200 + seed);
      file.writeUInt32BE(now - (count - point) * step, at);
      file.writeDoubleBE(Math.round(busy * 1000 + (noise / 2 ** 32) * 200) / 10, at + 4);
    }
    offset += 12 * count;
  }
  return file;
}

async function timeLcops(setting: Setting, way: "plain" | "encrypted"): Promise<Sample> {
  const { ground, whisper, configFile, address, environment, recipient } = setting;
  const sets = join(ground.folder, "sets");
  const configPath = join(ground.folder, `${way}.json`);
  const config: Config = {
    ssh: { configFile },
    environments: { dev: { production: false } },
    hosts: { far: { environment: "dev", address: { eip: address } } },
    services: { graphite: { kind: "graphite", host: "far", port: 80 } },
    backups: {
      destinations: { operator: { folder: sets } },
      recipients: way === "encrypted" ? [recipient] : [],
      jobs: { graphite: { service: "graphite", graphite: { folder: whisper } } },
    },
  };
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  const { variables, readMb } = watchMemory(ground.folder);
  const words = [process.execPath, LCOPS, "--config", configPath, "backup", "run"];
  const sample = await timeCommand(words, { ...environment, ...variables }, setting.readFarCpu);
  await rm(sets, { recursive: true });
  return { ...sample, memoryMb: readMb() };
}

async function timeTar(setting: Setting): Promise<Sample> {
  const { ground, whisper, configFile, address, environment } = setting;
  const words = ["ssh", "-F", configFile, address, `tar czf - -C '${whisper}' .`];
  const result = join(ground.folder, "peer.tar.gz");
  const sample = await timeCommand(words, environment, setting.readFarCpu, result);
  await rm(result);
  return { ...sample, memoryMb: 0 };
}
