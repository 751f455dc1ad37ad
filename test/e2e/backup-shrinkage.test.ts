import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BackupGround, makeBackupGround, makeWhisper } from "../support/backup-ground.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: BackupGround;
beforeEach(() => {
  ground = makeBackupGround();
});
afterEach(() => ground.remove());

test("what has suddenly shrunk is said by run, verify and status, as long as it is the newest set; and fails nothing", async () => {
  const file = path.join(ground.whisper, "stats/api/busy.wsp");
  writeFileSync(file, makeWhisper(90_000, 7));
  expect(await ground.lcops("backup", "run")).toEqual(QUIET);
  const [first = ""] = await ground.sets();
  rmSync(file);
  const run = await ground.lcops("backup", "run");
  expect(run).toMatchObject({ code: 0, stdout: "" });
  expect(run.stderr).toContain(
    `lcops: graphite: stats: 400 rows; it had 90400 rows in ${first}; look before the sets that have it are pruned`,
  );
  expect(run.stderr).toMatch(/the set has \d+ % of/);
  const verify = await ground.lcops("backup", "verify");
  expect(verify).toMatchObject({ code: 0, stdout: "" });
  expect(verify.stderr).toContain(`stats: 400 rows; it had 90400 rows in ${first}`);
  const status = await ground.lcops("backup", "status");
  expect(status.stderr).toContain(
    `lcops: graphite: the newest set: stats: 400 rows; it had 90400 rows in ${first}`,
  );
  const { stdout } = await ground.lcops("backup", "status", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    jobs: [{ shrunk: [`stats: 400 rows; it had 90400 rows in ${first}`, expect.any(String)] }],
  });
  // It is so since yesterday: no news.
  expect(await ground.lcops("backup", "run")).toEqual(QUIET);
  expect((await ground.lcops("backup", "status")).stderr).not.toContain("it had");
}, 60_000);
