/** Backups of the lab's estate: MySQL and Graphite, to a folder and, where the emulator is there, to a bucket, by the menu's keys. */
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { makeGround, testWith, type Ground } from "../support/ground.ts";
import { type LcopsResult, runLcops } from "../support/run-lcops.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: Ground;
let configPath: string;
beforeAll(async () => {
  ground = await makeGround();
  configPath = ground.deriveConfig(({ backups }) => {
    if (!backups) return;
    // What other files put there is none of ours.
    const { server } = backups.destinations;
    const own = path.basename(ground.folder);
    if (server && "bucket" in server) server.prefix = own;
    else backups.destinations.server = { folder: path.join(ground.folder, "server") };
    backups.destinations.operator = { folder: path.join(ground.folder, "operator") };
    for (const job of Object.values(backups.jobs)) job.keep = { last: 1 };
  });
});
afterAll(() => ground.remove());

const lcops = (...words: string[]): Promise<LcopsResult> =>
  runLcops(["--config", configPath, ...words], {
    environment: ground.environment,
    timeoutMs: 60_000,
  });

interface Listed {
  sets: { job: string; setId: string; at: string[]; result: string }[];
}

async function countSets(): Promise<Record<string, number>> {
  const { sets } = JSON.parse((await lcops("backup", "list", "--json")).stdout) as Listed;
  for (const set of sets)
    expect(set).toMatchObject({ at: ["server", "operator"], result: "complete" });
  const of = (job: string): number => sets.filter((set) => set.job === job).length;
  return { graphite: of("graphite"), mysql: of("mysql") };
}

testWith("graphite", "mysql", "hosts")(
  "the menu's keys back up the estate; it is verified, proven, and pruned",
  async () => {
    expect(await lcops("menu", "bg")).toEqual(QUIET);
    expect(await countSets()).toEqual({ graphite: 1, mysql: 0 });
    expect(await lcops("menu", "bm")).toEqual(QUIET);
    expect(await lcops("menu", "b")).toEqual(QUIET);
    expect(await countSets()).toEqual({ graphite: 2, mysql: 2 });

    // Nothing is proven yet.
    expect(await lcops("menu", "bs")).toMatchObject({ code: 4 });
    const refused = await lcops("backup", "prune", "mysql", "--confirm", "mysql");
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await lcops("menu", "bd")).toEqual(QUIET);

    const shown = await lcops("backup", "status");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    const cell = String.raw`\S+ [kM]B, \d+ (s|min) ago`;
    for (const job of ["graphite", "mysql"]) {
      const line = `^${job}\tanswers\t${cell}\t-\t${cell}\tproven, \\d+ s ago, in \\d+ s\t[▁-█]{2}\t$`;
      expect(shown.stdout).toMatch(new RegExp(line, "m"));
    }

    expect(await lcops("backup", "prune", "mysql", "--confirm", "mysql")).toEqual(QUIET);
    expect(await lcops("backup", "prune", "graphite", "--confirm", "graphite")).toEqual(QUIET);
    expect(await countSets()).toEqual({ graphite: 1, mysql: 1 });
    expect(await lcops("backup", "verify")).toEqual(QUIET);
    expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
    const { stdout } = await lcops("history", "--json");
    expect(stdout).toContain("remove 2 of 4 sets of mysql");
  },
  120_000,
);

testWith("hosts")("what is not built yet says so, and is no backup", async () => {
  for (const key of ["ba"]) {
    const { code, stderr } = await lcops("menu", key);
    expect({ key, code }).toEqual({ key, code: 2 });
    expect(stderr).toContain("comes with a later version");
  }
});
