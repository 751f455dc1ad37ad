import { execFileSync } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { findPrograms } from "../support/find-programs.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { type LcopsResult, runLcops } from "../support/run-lcops.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const lcops = (...words: string[]): Promise<LcopsResult> =>
  runLcops(words, { environment: ground.environment, timeoutMs: 90_000 });

testWith("graphite", "mysql", "hosts")(
  "Graphite over ssh and MySQL, to the server's destination and the operator's, are proven and restored",
  async () => {
    expect(await lcops("backup", "run")).toEqual(QUIET);
    const listed = (await lcops("backup", "list")).stdout.trimEnd().split("\n");
    const jobs = Object.keys(ground.config.backups?.jobs ?? {}).toSorted();
    expect(jobs).toEqual(expect.arrayContaining(["graphite", "mysql"]));
    expect(listed.map((line) => line.split("\t").slice(1, 4).join(" ")).toSorted()).toEqual(
      jobs.map((job) => `${job} server, operator complete`),
    );
    // Nothing was proven yet.
    expect(await lcops("backup", "status")).toMatchObject({ code: 4 });
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await lcops("backup", "drill")).toEqual(QUIET);
    expect(await lcops("backup", "status")).toMatchObject({ code: 0, stderr: "" });
    expect(await findPrograms("lcops-run-")).toEqual([]);
  },
  120_000,
);

testWith("graphite", "hosts")("a metric is restored as whisper's own reader sees it", async () => {
  expect(await lcops("backup", "run", "graphite")).toEqual(QUIET);
  const into = path.join(ground.folder, "rescued");
  const metric = "stats.counters.prod-api3-1.requests";
  const words = ["backup", "restore", "graphite", "--only", metric, "--into", into, "--yes"];
  expect(await lcops(...words)).toEqual(QUIET);
  const file = "stats/counters/prod-api3-1/requests/count.wsp";
  const read = (folder: string): string =>
    execFileSync(
      "/usr/bin/python3",
      [
        "-c",
        "import sys, whisper; print(whisper.fetch(sys.argv[1], 1, 1767225600 + 4102444800))",
        path.join(folder, file),
      ],
      { encoding: "utf8" },
    );
  const source = ground.lab.services.graphite?.whisperFolder ?? "";
  const values = (text: string): string[] => text.match(/\d+\.\d+/g) ?? [];
  expect(values(read(into)).length).toBeGreaterThan(100);
  expect(values(read(into)).slice(0, 1000)).toEqual(values(read(source)).slice(0, 1000));
});
