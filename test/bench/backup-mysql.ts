import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Manifest } from "../../src/backup/manifest.ts";
import type { Config } from "../support/known-config.ts";
import { openServer } from "../../src/services/mysql/open-server.ts";
import { findProgram } from "../../src/system/program.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { startScratchMysql } from "../support/scratch-mysql.ts";
import { fillShop } from "./fill-shop.ts";
import { measureSpread, type Ratio } from "./ratio.ts";
import { readCpuSeconds, timeCommand, type Timing } from "./time-command.ts";

const ROUNDS = 5;
const LEAST_BYTES = 500e6;
const MEMORY_BAR_MB = 300;
/** Bars beside `mysqldump | gzip` and `| zstd`, and beside `zstdcat | mysql`. */
const BARS = { gzip: 0.35, zstd: 0.9, restore: 0.7 } as const;
/** What writes the same text of the rows as lcops has it write; and its level of zstd. */
const DUMP = ["--single-transaction", "--quick", "--hex-blob", "--routines", "--events"];
const PIPES = { gzip: "gzip", zstd: "zstd -q -3" } as const;

interface Sample extends Timing {
  memoryMb: number;
}
type Run = () => Promise<Sample>;

interface Setting {
  folder: string;
  /** The programs, with the option file of the server. */
  client: string;
  dumper: string;
  defaults: string;
  environment: Record<string, string>;
  readServerCpu: () => Promise<number>;
  query: (sql: string) => Promise<unknown>;
  recipient: string;
}

/** Measure `lcops backup run` of a MariaDB with 500 MB, its set with hashes and facts, beside `mysqldump` through gzip and zstd; and its memory. */
export function benchBackupMysql(): Promise<Ratio[]> {
  return withShop(async (setting) => {
    const mydumper = await findProgram(["mydumper"], setting.environment["PATH"] ?? "");
    const runs: Record<string, Run> = {
      plain: () => timeRun(setting, "plain"),
      encrypted: () => timeRun(setting, "encrypted"),
      gzip: () => timeDump(setting, "gzip"),
      zstd: () => timeDump(setting, "zstd"),
      ...(mydumper !== undefined && { mydumper: () => timeMydumper(setting, mydumper) }),
    };
    const samples = await interleave(runs, ["gzip", "mydumper"]);
    tellCpu("dump", samples);
    if (mydumper !== undefined) tellMydumper(samples);
    const compare = (way: string, peer: "gzip" | "zstd"): Ratio =>
      beside(
        `lcops backup run of MariaDB, ${way}, beside mysqldump | ${PIPES[peer]}`,
        [samples[way] ?? [], samples[peer] ?? []],
        BARS[peer],
      );
    return [
      ...(["gzip", "zstd"] as const).flatMap((peer) => [
        compare("plain", peer),
        compare("encrypted", peer),
      ]),
      memory("its peak memory, plain", samples["plain"] ?? []),
      memory("its peak memory, encrypted", samples["encrypted"] ?? []),
    ];
  });
}

/** Measure `lcops backup restore` of the same into an empty database beside `zstdcat | mysql`. */
export function benchBackupRestore(): Promise<Ratio[]> {
  return withShop(async (setting) => {
    const configPath = await writeConfig(setting, "plain");
    await timeCommand(lcops(configPath, "run"), setting.environment, setting.readServerCpu);
    await timeDump(setting, "zstd", false);
    const runs: Record<string, Run> = {
      lcops: () => timeRestore(setting, configPath),
      peer: () => timeLoad(setting),
    };
    const samples = await interleave(runs, Object.keys(runs));
    tellCpu("restore", samples);
    return [
      beside(
        "lcops backup restore of MariaDB beside zstdcat | mysql",
        [samples["lcops"] ?? [], samples["peer"] ?? []],
        BARS.restore,
      ),
      memory("its peak memory", samples["lcops"] ?? []),
    ];
  });
}

/** Each round has each of them once; a first one that is not counted reads the tables from the disk, without those that need not. */
async function interleave(
  runs: Readonly<Record<string, Run>>,
  coldOnes: readonly string[],
): Promise<Record<string, Sample[]>> {
  const samples: Record<string, Sample[]> = {};
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      if (round < 0 && coldOnes.includes(name)) continue;
      const sample = await run();
      if (round >= 0) (samples[name] ??= []).push(sample);
    }
  }
  return samples;
}

function beside(
  what: string,
  [ours, peer]: readonly [readonly Sample[], readonly Sample[]],
  bar: number,
): Ratio {
  const [one, other] = [ours, peer].map((samples) => measureSpread(samples.map(({ ms }) => ms)));
  if (!one || !other) throw new Error("nothing was measured");
  return { what, value: one.median / other.median, bar, rounds: ROUNDS, ours: one, peer: other };
}

function memory(what: string, samples: readonly Sample[]): Ratio {
  const ours = measureSpread(samples.map(({ memoryMb }) => memoryMb));
  const common = { bar: MEMORY_BAR_MB, unit: "MB", rounds: ROUNDS } as const;
  return { ...common, what, value: ours.high, ours, peer: ours };
}

function tellCpu(what: string, samples: Readonly<Record<string, readonly Sample[]>>): void {
  const each = Object.entries(samples).map(([name, some]) => {
    const { median } = measureSpread(some.map(({ cpuSeconds }) => cpuSeconds));
    return `${name} ${median.toFixed(1)} s`;
  });
  process.stderr.write(
    `bench backup: CPU time of ${what}, server included, median: ${each.join(", ")}\n`,
  );
}

/** No bar: it writes a folder of plain files, which are neither compressed nor encrypted nor hashed. */
function tellMydumper(samples: Readonly<Record<string, readonly Sample[]>>): void {
  const { median } = measureSpread((samples["mydumper"] ?? []).map(({ ms }) => ms));
  const ours = measureSpread((samples["plain"] ?? []).map(({ ms }) => ms));
  process.stderr.write(
    `bench backup: mydumper, which writes plain files, and zstd of them: ${(median / 1000).toFixed(1)} s, lcops ${(ours.median / 1000).toFixed(1)} s\n`,
  );
}

async function withShop(use: (setting: Setting) => Promise<Ratio[]>): Promise<Ratio[]> {
  const scratch = await startScratchMysql();
  if (!scratch) throw new Error("there is no mariadbd on this machine");
  const { place, options, folder } = scratch;
  try {
    const path = options.environment["PATH"] ?? "";
    const client = (await findProgram(["mariadb", "mysql"], path)) ?? "mariadb";
    const dumper = (await findProgram(["mariadb-dump", "mysqldump"], path)) ?? "mysqldump";
    const { host, port } = await place.endpoint();
    const defaults = join(folder, "client.cnf");
    const password = (await place.password()) ?? "";
    await writeFile(
      defaults,
      `[client]\nuser=lcops\npassword=${password}\nhost=${host}\nport=${port}\nprotocol=tcp\n[mydumper]\nuser=lcops\npassword=${password}\nhost=${host}\nport=${port}\n`,
      { mode: 0o600 },
    );
    await writeFile(join(folder, "password"), password, { mode: 0o600 });
    await writeFile(join(folder, "port"), String(port));
    const server = await openServer(place);
    try {
      await server.query("CREATE DATABASE shop");
      await fillShop([client, `--defaults-file=${defaults}`, "shop"]);
      const [row] = await server.query("SELECT @@pid_file AS file");
      const pid = (await readFile(String(row?.["file"]), "utf8")).trim();
      return await use({
        folder,
        client,
        dumper,
        defaults,
        environment: { PATH: path, LANG: "C.UTF-8", HOME: folder },
        readServerCpu: () => readCpuSeconds(pid, "self"),
        query: (sql) => server.query(sql),
        recipient: await identityToRecipient(await generateX25519Identity()),
      });
    } finally {
      await server.close();
    }
  } finally {
    await scratch.close();
  }
}

const lcops = (configPath: string, ...words: string[]): string[] => [
  process.execPath,
  LCOPS,
  "--config",
  configPath,
  "backup",
  ...words,
];

async function writeConfig(
  { folder, recipient }: Setting,
  way: "plain" | "encrypted",
): Promise<string> {
  const configPath = join(folder, `${way}.json`);
  const config: Config = {
    environments: { dev: { production: false } },
    services: {
      shop: {
        kind: "mysql",
        environment: "dev",
        address: "127.0.0.1",
        port: Number(await readFile(join(folder, "port"), "utf8")),
        user: "lcops",
        password: `\${file:${join(folder, "password")}}` as never,
      },
    },
    backups: {
      destinations: { operator: { folder: join(folder, "sets") } },
      recipients: way === "encrypted" ? [recipient] : [],
      jobs: { shop: { service: "shop", mysql: { exclude: ["restored"] } } },
    },
  };
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  return configPath;
}

async function timeRun(setting: Setting, way: "plain" | "encrypted"): Promise<Sample> {
  const { folder, environment, readServerCpu } = setting;
  const { variables, readMb } = watchMemory(folder);
  const words = lcops(await writeConfig(setting, way), "run");
  const sample = await timeCommand(words, { ...environment, ...variables }, readServerCpu);
  const manifests = join(folder, "sets", "manifests", "shop");
  const [name = ""] = await readdir(manifests);
  const { totals } = JSON.parse(await readFile(join(manifests, name), "utf8")) as Manifest;
  if (totals.plainBytes < LEAST_BYTES) throw new Error(`only ${totals.plainBytes} bytes`);
  await rm(join(folder, "sets"), { recursive: true });
  return { ...sample, memoryMb: readMb() };
}

async function timeDump(
  { folder, dumper, defaults, environment, readServerCpu }: Setting,
  pipe: keyof typeof PIPES,
  isRemoved = true,
): Promise<Sample> {
  const result = join(folder, `peer.${pipe}`);
  const script = `set -o pipefail; "$@" | ${PIPES[pipe]}`;
  const words = ["bash", "-c", script, "bash", dumper, `--defaults-file=${defaults}`, ...DUMP];
  const sample = await timeCommand([...words, "shop"], environment, readServerCpu, result);
  if (isRemoved) await rm(result);
  return { ...sample, memoryMb: 0 };
}

async function timeMydumper(
  { folder, defaults, environment, readServerCpu }: Setting,
  mydumper: string,
): Promise<Sample> {
  const output = join(folder, "mydumper");
  // It cannot write to a pipe: what it has written is compressed behind it, at the same level.
  const script = '"$@" && cat "$0"/*.sql | zstd -q -3';
  const words = ["bash", "-c", script, output, mydumper, `--defaults-file=${defaults}`];
  const more = ["--database=shop", "--threads=2", "--rows=300000", "--trx-consistency-only"];
  const all = [...words, ...more, "--verbose=0", "--routines", "--events", "--triggers"];
  const result = join(folder, "peer.mydumper");
  const sample = await timeCommand(
    [...all, `--outputdir=${output}`],
    environment,
    readServerCpu,
    result,
  );
  await rm(output, { recursive: true });
  await rm(result);
  return { ...sample, memoryMb: 0 };
}

async function timeRestore(setting: Setting, configPath: string): Promise<Sample> {
  const { folder, environment, readServerCpu, query } = setting;
  const { variables, readMb } = watchMemory(folder);
  const words = lcops(configPath, "restore", "shop", "--into", "shop/restored", "--yes");
  await query("DROP DATABASE IF EXISTS restored");
  const sample = await timeCommand(words, { ...environment, ...variables }, readServerCpu);
  return { ...sample, memoryMb: readMb() };
}

async function timeLoad(setting: Setting): Promise<Sample> {
  const { folder, client, defaults, environment, readServerCpu, query } = setting;
  await query("DROP DATABASE IF EXISTS restored");
  await query("CREATE DATABASE restored");
  const script = 'set -o pipefail; zstdcat "$0" | "$@"';
  const words = ["bash", "-c", script, join(folder, "peer.zstd"), client];
  const sample = await timeCommand(
    [...words, `--defaults-file=${defaults}`, "restored"],
    environment,
    readServerCpu,
  );
  return { ...sample, memoryMb: 0 };
}
