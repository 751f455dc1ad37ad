import type { CheckReport } from "../../src/consistency/report.ts";
import { startPair } from "../support/replica-pair.ts";
import { startWrites } from "../support/steady-writes.ts";

const ROWS = 200_000;
const RUN_MS = 60_000;
/** Changed on the replica alone. */
const PLANTED = 123_456;

/**
 * Given how many runs of a minute (20), check a replica again and again while its primary is written to without a pause; return what was seen. Throws where anything but
 * the one planted row is found, or that is not.
 */
export async function soakConsistency(count = 20): Promise<string> {
  const pair = await startPair();
  if (!pair) throw new Error("there is no MariaDB on this machine");
  let [checks, writes, undecided] = [0, 0, 0];
  try {
    await pair.primary(
      `CREATE DATABASE soak; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON soak.* TO app@'%'; USE soak;
       CREATE TABLE rows_ (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL) ENGINE=InnoDB;
       INSERT INTO rows_ SELECT seq, CONCAT('row ', MD5(seq)) FROM seq_1_to_${ROWS};`,
    );
    await pair.settle();
    await pair.replica(`UPDATE soak.rows_ SET name = 'x' WHERE id = ${PLANTED}`);
    pair.check({ databases: ["soak"], maxLagSeconds: 30 });
    for (let run = 0; run < count; run++) {
      const writing = await startWrites(pair, "soak.rows_", ROWS, [PLANTED]);
      try {
        for (const until = performance.now() + RUN_MS; performance.now() < until; checks++) {
          const { stdout, stderr } = await pair.lcops(["db", "check", "--json"], {
            timeoutMs: 5 * RUN_MS,
          });
          const reports = (
            JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] }
          ).subjects.flatMap((subject) => subject.reports);
          const report = reports.find(({ check }) => check === "replica");
          const keys = reports.flatMap(({ findings }) => findings.map(({ key }) => key));
          if (keys?.length !== 1 || keys[0] !== `id=${PLANTED}`)
            throw new Error(`run ${run}: ${JSON.stringify(reports)} ${stderr}`);
          undecided += report?.skipped.length ?? 0;
        }
      } finally {
        await writing.stop();
        writes += writing.count();
      }
    }
    return `${count} of ${count} runs of a minute: ${checks} checks found the one row that differs and nothing else, over ${writes} writes; ${undecided} times rows were not decided on`;
  } finally {
    await pair.stop();
  }
}
