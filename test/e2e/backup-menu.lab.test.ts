/** Backups of the lab's estate, to a folder and to a bucket, by the menu's keys: MySQL, Graphite and, where they are there, Elasticsearch and a bucket. */
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { makeGround, type Ground } from "../support/ground.ts";
import { stateOf, testWith } from "../support/lab.ts";
import { type LcopsResult, runLcops } from "../support/run-lcops.ts";
import { PART_NAMES } from "../lab/lab.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: Ground;
let configPath: string;
beforeAll(async () => {
  ground = await makeGround(...PART_NAMES);
  configPath = ground.deriveConfig(({ backups }) => {
    if (!backups) return;
    // What other files put there is none of ours.
    const { server } = backups.destinations;
    const own = path.basename(ground.folder);
    if (server && "bucket" in server) server.prefix = own;
    else backups.destinations.server = { folder: path.join(ground.folder, "server") };
    backups.destinations.operator = { folder: path.join(ground.folder, "operator") };
    for (const job of Object.values(backups.jobs)) {
      job.keep = { last: 1 };
      if (job.s3 && "bucket" in job.s3.to) job.s3.to.prefix = own;
    }
  });
});
afterAll(() => ground.remove());

const lcops = (...words: string[]): Promise<LcopsResult> =>
  runLcops(["--config", configPath, ...words], {
    environment: ground.environment,
    timeoutMs: 60_000,
  });

/** How many sets of each a run of everything makes. */
const s3Sets = stateOf("s3") === "absent" ? 0 : 1;
const searchSets = stateOf("elasticsearch") === "real" ? 1 : 0;

interface Listed {
  sets: { job: string; setId: string; at: string[]; result: string }[];
}

async function countSets(): Promise<Record<string, number>> {
  const { sets } = JSON.parse((await lcops("backup", "list", "--json")).stdout) as Listed;
  for (const set of sets)
    expect(set).toMatchObject({ at: ["server", "operator"], result: "complete" });
  const of = (job: string): number => sets.filter((set) => set.job === job).length;
  const jobs = ["graphite", "mysql", "elasticsearch", "s3"];
  return Object.fromEntries(jobs.map((job) => [job, of(job)]));
}

testWith("graphite", "mysql", "hosts")(
  "the menu's keys back up the estate; it is verified, proven, and pruned",
  async () => {
    expect(await lcops("menu", "bg")).toEqual(QUIET);
    expect(await countSets()).toEqual({ graphite: 1, mysql: 0, elasticsearch: 0, s3: 0 });
    expect(await lcops("menu", "bm")).toEqual(QUIET);
    expect(await lcops("menu", "b")).toEqual(QUIET);
    const others = { elasticsearch: searchSets, s3: s3Sets };
    expect(await countSets()).toEqual({ graphite: 2, mysql: 2, ...others });

    // Nothing is proven yet.
    expect(await lcops("menu", "bs")).toMatchObject({ code: 4 });
    const refused = await lcops("backup", "prune", "mysql", "--confirm", "mysql");
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await lcops("menu", "bd")).toEqual(QUIET);

    const shown = await lcops("backup", "status");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    const cell = String.raw`\S+ [kM]B, \d+ (s|min) ago`;
    for (const [job, sets] of Object.entries({ graphite: 2, mysql: 2, ...others })) {
      if (sets === 0) continue;
      const line = `^${job}\tanswers\t${cell}\t-\t${cell}\tproven, \\d+ s ago, in \\d+ s\t[▁-█]{${sets}}\t$`;
      expect(shown.stdout).toMatch(new RegExp(line, "m"));
    }

    expect(await lcops("backup", "prune", "mysql", "--confirm", "mysql")).toEqual(QUIET);
    expect(await lcops("backup", "prune", "graphite", "--confirm", "graphite")).toEqual(QUIET);
    expect(await countSets()).toEqual({ graphite: 1, mysql: 1, ...others });
    expect(await lcops("backup", "verify")).toEqual(QUIET);
    expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
    const { stdout } = await lcops("history", "--json");
    expect(stdout).toContain("remove 2 of 4 sets of mysql");
  },
  120_000,
);

testWith("s3", "hosts")(
  "the key of S3 copies the bucket; an object of it is had back, and a run copies none twice",
  async () => {
    expect(await lcops("menu", "ba")).toEqual(QUIET);
    expect(await lcops("menu", "ba")).toEqual(QUIET);
    expect(await lcops("backup", "verify", "s3", "--level", "decode")).toEqual(QUIET);
    expect(await lcops("backup", "drill", "s3")).toEqual(QUIET);
    const { objects } = ground.lab.s3?.submissions ?? {};
    const { stdout } = await lcops("backup", "list", "s3", "--json");
    const { sets } = JSON.parse(stdout) as {
      sets: { totals: { rows: number }; consistency: { proof: { copied: number } } }[];
    };
    expect(sets.at(-1)).toMatchObject({ totals: { rows: objects } });
    expect(sets.at(-1)?.consistency.proof.copied).toBe(0);
  },
  60_000,
);
