/** Rows of both servers compared by lcops, beside the questions that pt-table-checksum asks of one, and beside that program itself where it is installed. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { measureSpread, type Ratio } from "./ratio.ts";

const ROUNDS = 5;
const ROWS = 1_000_000;
const BAR = 2.2;
/** What pt-table-checksum wants a chunk to take, and how many rows its first one has. */
const [CHUNK_S, FIRST_CHUNK] = [0.5, 1_000];

const TABLE = `CREATE DATABASE bench; USE bench;
  CREATE TABLE submissions (
    id INT UNSIGNED PRIMARY KEY, exercise_id INT UNSIGNED NOT NULL, student_id INT UNSIGNED NOT NULL,
    s3_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, size_bytes INT UNSIGNED NOT NULL, checksum BINARY(16) NOT NULL,
    submitted_at DATETIME NOT NULL, score TINYINT UNSIGNED NULL, remark VARCHAR(400) NULL, note TEXT NULL, is_late BOOLEAN NOT NULL
  ) ENGINE=InnoDB;
  INSERT INTO submissions SELECT seq, seq % 480, seq * 17 % 800, CONCAT('submissions/2014/', LPAD(seq, 8, '0'), '.mp3'), 2000 + CRC32(seq) % 400000,
    UNHEX(MD5(seq)), '2014-02-01' + INTERVAL seq MINUTE, IF(seq % 13 = 0, NULL, seq % 11), IF(seq % 9 = 0, 'Très bien, gut, よくできました', NULL),
    CONCAT('Describe your weekend in five sentences. ', MD5(seq), ' ', MD5(seq + 1)), seq % 2 FROM seq_1_to_${ROWS};
  ANALYZE TABLE submissions;`;

/** Returns how the whole check of the rows of a primary and its replica compares with a checksum of the primary alone. Throws where there is no MariaDB. */
export async function benchConsistency(): Promise<Ratio[]> {
  const pair = await startPair();
  if (!pair) throw new Error("there is no MariaDB on this machine");
  try {
    // The same statement on both: a replica would take minutes for so many rows.
    await pair.primary("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON bench.* TO app@'%'");
    await Promise.all([pair.primary(`SET SESSION sql_log_bin = 0; ${TABLE}`), pair.replica(TABLE)]);
    await pair.settle();
    pair.check({ databases: ["bench"] });
    return await measure(pair);
  } finally {
    await pair.stop();
  }
}

async function measure(pair: ReplicaPair): Promise<Ratio[]> {
  const socket = pair.lab.services.mysql?.primary.socket ?? "";
  const password = readFileSync(pair.lab.services.mysql?.passwordFiles["root"] ?? "", "utf8");
  const connection = await createConnection({ socketPath: socket, user: "root", password });
  const hasProgram = await hasPtTableChecksum();
  const samples = { ours: [] as number[], questions: [] as number[], program: [] as number[] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      samples.ours.push(await timed(() => checkBoth(pair)));
      samples.questions.push(await timed(() => askLikePt(connection)));
      if (hasProgram) samples.program.push(await timed(() => runPt(pair)));
    }
  } finally {
    await connection.end();
  }
  const ours = measureSpread(samples.ours);
  const compare = (what: string, peers: readonly number[], bar: number): Ratio => {
    const peer = measureSpread(peers);
    return { what, value: ours.median / peer.median, bar, rounds: ROUNDS, ours, peer };
  };
  return [
    compare("1,000,000 rows, both servers, beside pt's questions to one", samples.questions, BAR),
    ...(hasProgram
      ? [compare("the same beside pt-table-checksum on one server", samples.program, BAR)]
      : []),
  ];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function checkBoth(pair: ReplicaPair): Promise<void> {
  const { code, stdout, stderr } = await pair.lcops(["db", "check", "--json"]);
  if (code !== 0 || !stdout.includes(`"rows": ${ROWS}`)) throw new Error(stdout + stderr);
}

/** The questions of pt-table-checksum 3: the end of each chunk, and its checksum; each chunk's size by how long the last one took. */
async function askLikePt(connection: Connection): Promise<void> {
  const columns =
    "id, exercise_id, student_id, s3_key, size_bytes, checksum, submitted_at + 0, score, remark, note, is_late";
  const nulls = "CONCAT(ISNULL(score), ISNULL(remark), ISNULL(note))";
  const from = "FROM bench.submissions FORCE INDEX (PRIMARY)";
  let [lower, size, seen] = [0, FIRST_CHUNK, 0];
  for (;;) {
    const [bounds] = await connection.query<RowDataPacket[]>(
      `SELECT id ${from} WHERE id > ? ORDER BY id LIMIT ?, 1`,
      [lower, size - 1],
    );
    const upper = (bounds[0]?.["id"] as number | undefined) ?? 2 ** 32;
    const began = performance.now();
    const [sums] = await connection.query<RowDataPacket[]>(
      `SELECT COUNT(*) AS cnt, COALESCE(LOWER(CONV(BIT_XOR(CAST(CRC32(CONCAT_WS('#', ${columns}, ${nulls})) AS UNSIGNED)), 10, 16)), 0) AS crc ${from} WHERE id > ? AND id <= ?`,
      [lower, upper],
    );
    const count = sums[0]?.["cnt"] as number;
    seen += count;
    if (bounds.length === 0) break;
    size = Math.max(1, Math.round((count * CHUNK_S * 1_000) / (performance.now() - began)));
    lower = upper;
  }
  if (seen !== ROWS) throw new Error(`${seen} rows`);
}

async function hasPtTableChecksum(): Promise<boolean> {
  try {
    await promisify(execFile)("pt-table-checksum", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** As it is run on a server by itself; its table of checksums is its own affair. */
async function runPt(pair: ReplicaPair): Promise<void> {
  const { folder, services } = pair.lab;
  const args = [
    `--defaults-file=${folder}/secrets/primary.cnf`,
    "--no-version-check",
    "--no-check-binlog-format",
    "--no-check-replication-filters",
    "--recursion-method=none",
    "--set-vars=innodb_lock_wait_timeout=5,sql_log_bin=0",
    "--databases=bench",
    `S=${services.mysql?.primary.socket}`,
  ];
  const { stdout } = await promisify(execFile)("pt-table-checksum", args, { maxBuffer: 2 ** 24 });
  if (!new RegExp(`\\b${ROWS}\\b.*bench\\.submissions`).test(stdout)) throw new Error(stdout);
}
