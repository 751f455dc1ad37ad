import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCodeOfJobs } from "../../../src/commands/backup/run-prune.ts";
import { takeJobLock } from "../../../src/backup/job-lock.ts";
import { addReport } from "../../support/age-sets.ts";
import { drilled, makeSetGround, type SetGround, verified } from "../../support/set-ground.ts";

const QUIET = { code: 0, stdout: "", stderr: "" };

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

const prune = (...words: string[]) => ground.lcops(["backup", "prune", ...words]);
const sets = (): string[] =>
  ground
    .files("operator")
    .flatMap((file) => /^manifests\/graphite\/(.*)\.json$/.exec(file)?.[1] ?? []);

/** Three sets, of which the rules keep the newest. */
function makeThree(): { oldest: string; older: string; newest: string } {
  ground.configureJob({ keep: { last: 1 } });
  return { oldest: ground.addSet(9), older: ground.addSet(3), newest: ground.addSet(0.01) };
}

describe("prune is refused", () => {
  const refused = async (...words: string[]): Promise<string> => {
    const before = ground.files("server");
    const { code, stdout, stderr } = await prune(...(words.length > 0 ? words : ["--yes"]));
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(ground.files("server")).toEqual(before);
    expect(ground.journal).toEqual([]);
    return stderr;
  };

  test("where the newest set is not verified, or is damaged", async () => {
    const { newest, older } = makeThree();
    addReport(ground, older, verified(2));
    addReport(ground, older, drilled(1));
    expect(await refused()).toBe(
      "lcops: graphite at server: the newest set was not verified, and nothing is removed before; lcops backup verify graphite\n",
    );
    addReport(ground, newest, verified(0.2));
    addReport(ground, newest, verified(0.1, false));
    expect(await refused()).toBe(
      "lcops: graphite at server: the newest set is damaged, and nothing is removed before; lcops backup run graphite\n",
    );
  });

  test("where sizes alone were verified", async () => {
    const { newest } = makeThree();
    addReport(ground, newest, { ...verified(0.1), level: "sizes" });
    addReport(ground, newest, drilled(0.1));
    expect(await refused()).toContain("the newest set was not verified");
  });

  test("where the newest manifest is damaged", async () => {
    const { older, oldest, newest } = makeThree();
    for (const setId of [older, oldest]) addReport(ground, setId, verified(1));
    addReport(ground, older, drilled(1));
    const manifest = ground.at("operator", "manifests", "graphite", `${newest}.json`);
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace("graphite", "graphitf"));
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    expect(await refused()).toContain(`graphite at operator: ${newest}, the newest, is damaged`);
  });

  test("where no drill is young enough, and one that was not done takes no proof back", async () => {
    const { newest } = makeThree();
    ground.configureJob({ drillDays: 7 });
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(7.1));
    expect(await refused()).toContain("no drill of the last 7 days has proven a set");
    addReport(ground, newest, drilled(0.3));
    addReport(ground, newest, drilled(0.2, "failed"));
    expect(await refused()).toContain("no drill of the last 7 days has proven a set");
    addReport(ground, newest, drilled(0.15));
    addReport(ground, newest, drilled(0.1, "not drilled"));
    expect(await prune("--yes")).toEqual(QUIET);
    expect(sets()).toEqual([newest]);
  });

  test("by a drill of the future, when the clock went back", async () => {
    const { newest } = makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(-300));
    expect(await refused()).toContain("no drill of the last 35 days");
  });

  test("in production without the name of the job, or with another", async () => {
    const { newest } = makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    delete ground.config.environments?.["dev"]?.production;
    expect(await refused()).toContain("confirm it with --confirm graphite");
    expect(await refused("--confirm", "dev")).toContain("--confirm says dev");
    expect(await prune("--confirm", "graphite")).toEqual(QUIET);
    expect(sets()).toEqual([newest]);
  });

  test("while another run of the job holds the lock", async () => {
    makeThree();
    const release = await takeJobLock(ground.at("state"), "graphite");
    expect(await prune("--yes")).toEqual({
      code: 6,
      stdout: "",
      stderr: "lcops: graphite: a run of this job holds the lock; wait for it\n",
    });
    await release?.();
  });
});

describe("prune", () => {
  test("removes at each destination what no rule keeps, and writes that down", async () => {
    const { oldest, older, newest } = makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    expect(await prune("--yes")).toEqual(QUIET);
    for (const destination of ["server", "operator"] as const)
      expect(ground.files(destination).filter((file) => !file.includes(newest))).toEqual([]);
    expect(ground.journal).toEqual([
      {
        change: expect.stringMatching(
          new RegExp(
            `^remove 4 of 6 sets of graphite, 16\\.8 kB: ${older} at server, ${oldest} at server, `,
          ),
        ) as string,
        state: "done",
      },
    ]);
    expect(await prune("--yes", "-v")).toEqual({
      ...QUIET,
      stderr: "graphite: there is nothing to remove\n",
    });
  });

  test("keeps all where no rule says otherwise, and the last that was proven", async () => {
    const { older, newest } = makeThree();
    ground.configureJob({ keep: undefined });
    expect(await prune("--yes")).toEqual(QUIET);
    expect(sets()).toHaveLength(3);
    ground.configureJob({ keep: { last: 1 } });
    addReport(ground, newest, verified(0.1));
    addReport(ground, older, drilled(0.1));
    expect(await prune("--yes")).toEqual(QUIET);
    expect(sets()).toEqual([older, newest]);
  });

  test("shows its plan and what would refuse it, and changes nothing with --dry-run", async () => {
    const { oldest, older, newest } = makeThree();
    const before = ground.files("server");
    const plan = await prune("--dry-run");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout.split("\n")).toEqual([
      expect.stringMatching(/^remove 4 of 6 sets of graphite, \S+ kB$/),
      `  at server (${ground.at("server")}):`,
      `  keep   ${newest}  the newest, one of the last 1`,
      `  remove ${older}  no rule keeps it`,
      `  remove ${oldest}  no rule keeps it`,
      `  at operator (${ground.at("operator")}):`,
      `  keep   ${newest}  the newest, one of the last 1`,
      `  remove ${older}  no rule keeps it`,
      `  remove ${oldest}  no rule keeps it`,
      "  it would be refused: graphite at server: the newest set was not verified, and nothing is removed before; lcops backup verify graphite",
      "nothing can undo this",
      "",
    ]);
    const json = await prune("--dry-run", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      dryRun: true,
      jobs: [{ job: "graphite", reason: expect.stringContaining("was not verified") as string }],
    });
    expect(ground.files("server")).toEqual(before);
  });

  test("goes on with the other jobs where one is refused, and is one document", async () => {
    const { newest } = makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    const job = ground.config.backups?.jobs["graphite"];
    if (ground.config.backups && job) ground.config.backups.jobs = { another: job, graphite: job };
    for (const days of [2, 1]) ground.addSet(days, { job: "another" });
    const { code, stdout, stderr } = await prune("--yes", "--json");
    expect(code).toBe(3);
    expect(stderr).toContain("another at server: the newest set was not verified");
    const said = JSON.parse(stdout) as { jobs: { job: string; code: number }[] };
    expect(said.jobs.map(({ job: name, code: of }) => [name, of])).toEqual([
      ["another", 5],
      ["graphite", 0],
    ]);
    expect(
      ground.files("operator").filter((file) => file.startsWith("manifests/graphite")),
    ).toEqual([`manifests/graphite/${newest}.json`]);
  });
});

test.each([
  [[0, 0], 0],
  [[5], 5],
  [[5, 5], 5],
  [[6], 6],
  [[0, 5], 3],
  [[3, 0], 3],
  [[1, 6], 3],
])("jobs that end with %j end with %i", (codes, code) => {
  expect(exitCodeOfJobs(codes)).toBe(code);
});
