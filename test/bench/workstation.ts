import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";

const ROUNDS = 5;
const BAR = 0.2;
/** Rows of a hundred bytes or so, with a key: data and index together are 100 MB. */
const ROWS = 440_000;

/** Measure `lcops machine reset` of a MySQL in memory beside dropping its database of 100 MB and importing it again, into that very server. */
export async function benchWorkstation(): Promise<Ratio[]> {
  const folder = await mkdtemp(join(tmpdir(), "lcops-bench-"));
  const name = `bench-${process.pid}`;
  const socket = `/dev/shm/lcops-${process.getuid?.() ?? 0}-${name}/data/mysql.sock`;
  const config = join(folder, "lcops.config.json");
  const environment = { PATH: process.env["PATH"] ?? "", HOME: folder, LCOPS_CONFIG: config };
  const configure = (seed?: string): Promise<void> =>
    writeFile(
      config,
      JSON.stringify({
        workstation: { services: { [name]: { kind: "ram-mysql", ...(seed && { seed }) } } },
      }),
    );
  const machine = (verb: string): Promise<void> =>
    run([process.execPath, LCOPS, "machine", verb, name, "--yes"], environment);
  const ask = (sql: string): string =>
    execFileSync("mariadb", [`--socket=${socket}`, "-N", "-e", sql], { encoding: "utf8" }).trim();
  try {
    await configure();
    await machine("on");
    ask(
      `CREATE DATABASE shop; USE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, name VARCHAR(40), note VARCHAR(120), KEY (name)) AS SELECT seq AS id, MD5(seq) AS name, CONCAT(SHA1(seq), MD5(seq + 1)) AS note FROM seq_1_to_${ROWS}`,
    );
    const seed = join(folder, "seed.sql");
    const dump = spawn("mariadb-dump", [`--socket=${socket}`, "--databases", "shop"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await pipeline(dump.stdout, createWriteStream(seed));
    await machine("off");
    await configure(seed);
    await machine("on");
    const size = ask(
      "SELECT ROUND(SUM(FILE_SIZE) / 1048576) FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME LIKE 'shop/%'",
    );
    process.stderr.write(`the database has ${size} MB\n`);
    const samples = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      samples.ours.push(await time(() => machine("reset")));
      samples.peer.push(
        await time(async () => {
          ask("DROP DATABASE shop");
          await feed(["mariadb", `--socket=${socket}`], seed);
        }),
      );
      if (ask("SELECT COUNT(*) FROM shop.t") !== String(ROWS)) throw new Error("rows are missing");
    }
    const [ours, peer] = [measureSpread(samples.ours), measureSpread(samples.peer)];
    return [
      {
        what: `lcops machine reset of a database of ${size} MB in memory, beside DROP DATABASE and its import`,
        value: ours.median / peer.median,
        bar: BAR,
        rounds: ROUNDS,
        ours,
        peer,
      },
    ];
  } finally {
    await machine("off").catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function time(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const [program = "", ...rest] = words;
  const child = spawn(program, rest, { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${words.slice(2).join(" ")} ended with ${code}`);
}

async function feed([program = "", ...args]: readonly string[], file: string): Promise<void> {
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(child, "close");
  await pipeline(createReadStream(file), child.stdin);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}
