/** What keeps sets, and tells of them: prune and what forbids it, status, schedule, notices, the doctor's line. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BackupJobConfig } from "../../src/config/backup-schema.ts";
import type { DrillReport, VerifyReport } from "../../src/backup/reports.ts";
import type { Finding } from "../../src/system/finding.ts";
import { addReport, copySet } from "../support/age-sets.ts";
import { type BackupGround, makeBackupGround } from "../support/backup-ground.ts";
import { isWhole } from "../support/matrix.ts";
import { openPty } from "../support/pty.ts";
import type { LcopsResult } from "../support/run-lcops.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const DAY_MS = 86_400_000;

let ground: BackupGround;
beforeEach(() => {
  ground = makeBackupGround();
});
afterEach(() => ground.remove());

const lcops: BackupGround["lcops"] = (...words) => ground.lcops(...words);

function configureJob(change: Partial<BackupJobConfig>): void {
  ground.configure(({ backups }) => {
    Object.assign(backups?.jobs["graphite"] ?? {}, change);
  });
}

async function makeSet(): Promise<string> {
  expect(await lcops("backup", "run")).toEqual(QUIET);
  const setId = (await ground.sets()).at(-1);
  if (setId === undefined) throw new Error("there is no set");
  return setId;
}

const verified = (days: number, ok = true): VerifyReport => ({
  kind: "verify",
  at: new Date(Date.now() - days * DAY_MS).toISOString(),
  level: "hashes",
  ok,
  findings: ok ? [] : ["a part is damaged"],
  tookMs: 1,
});

const drilled = (days: number, verdict: DrillReport["verdict"] = "proven"): DrillReport => ({
  kind: "drill",
  at: new Date(Date.now() - days * DAY_MS).toISOString(),
  verdict,
  facts: 2,
  rows: 600,
  differences: [],
  tookMs: 1,
});

/** Three sets, of which the rules keep the newest. */
async function makeThree(): Promise<{ oldest: string; older: string; newest: string }> {
  configureJob({ keep: { last: 1 } });
  const newest = await makeSet();
  return { oldest: copySet(ground, newest, 9), older: copySet(ground, newest, 3), newest };
}

describe("prune is refused", () => {
  const refused = async (): Promise<string> => {
    const before = ground.files("server");
    const { code, stdout, stderr } = await lcops("backup", "prune", "--yes");
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(ground.files("server")).toEqual(before);
    return stderr;
  };

  test("where the newest set is not verified, or is damaged", async () => {
    const { newest, older } = await makeThree();
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
});

describe("prune", () => {
  test("that is killed on its way leaves whole sets, and what gc removes", async () => {
    const { oldest, older, newest } = await makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    const saved = ground.at("saved");
    mkdirSync(saved);
    const places = ["server", "operator"] as const;
    for (const place of places)
      execFileSync("cp", ["-a", ground.at(place), path.join(saved, place)]);
    const kill = path.join(import.meta.dirname, "../support/kill-at-step.mjs");
    let killed = 0;
    for (let step = 1; ; step += isWhole ? 1 : 6) {
      for (const place of places) {
        rmSync(ground.at(place), { recursive: true, force: true });
        execFileSync("cp", ["-a", path.join(saved, place), ground.at(place)]);
      }
      const result = await ground.run(["backup", "prune", "--yes"], {
        environment: {
          ...ground.environment,
          NODE_OPTIONS: `--import=${kill}`,
          LCOPS_TEST_KILL_AT: String(step),
        },
      });
      if (result.signal === null) break;
      killed++;
      const left = await ground.sets();
      expect(left).toContain(newest);
      expect([oldest, older, newest]).toEqual(expect.arrayContaining(left));
      // What is still there is there whole; what is not leaves nothing that is young.
      expect(await lcops("backup", "verify", ...left)).toEqual(QUIET);
      expect(await lcops("backup", "gc", "--yes")).toMatchObject({ code: 0, stdout: "" });
      for (const place of places) {
        const files = ground.files(place);
        for (const file of files.filter((name) => name.startsWith("data/")))
          expect(files).toContain(`manifests/graphite/${file.split("/")[2]}.json`);
      }
      expect(await lcops("backup", "prune", "--yes")).toMatchObject({ code: 0, stdout: "" });
      expect(await ground.sets()).toEqual([newest]);
    }
    expect(killed).toBeGreaterThan(2);
  }, 180_000);

  test("removes nothing where the sets have changed while it was asked", async () => {
    const { newest } = await makeThree();
    addReport(ground, newest, verified(0.1));
    addReport(ground, newest, drilled(0.1));
    const pty = openPty(["backup", "prune"], { environment: ground.environment });
    try {
      await pty.waitFor(/Go on\?/);
      // Nobody is held up by the question.
      await makeSet();
      pty.type("y");
      pty.press("enter");
      expect(await pty.exit).toMatchObject({ code: 5 });
      expect(await ground.sets()).toHaveLength(4);
    } finally {
      pty.kill();
    }
  });
});

describe("status", () => {
  const status = async (): Promise<{ code: number | null; overdue: string[] }> => {
    const { code, stdout } = await lcops("backup", "status", "--json");
    const { jobs } = JSON.parse(stdout) as { jobs: { overdue: string[] }[] };
    return { code, overdue: jobs[0]?.overdue ?? [] };
  };

  test("shows each place of a job, when it was proven, and what is overdue", async () => {
    expect(await status()).toEqual({
      code: 4,
      overdue: [
        "server: there is no complete set",
        "operator: there is no complete set",
        "no set is proven by a drill",
      ],
    });
    const setId = await makeSet();
    expect(await status()).toEqual({ code: 4, overdue: ["no set is proven by a drill"] });
    expect(await lcops("backup", "drill")).toEqual(QUIET);
    copySet(ground, setId, 1);
    const shown = await lcops("backup", "status");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(
      /^graphite\tNO ANSWER\t\S+ kB, \d+ s ago\t-\t\S+ kB, \d+ s ago\tproven, \d+ s ago, in \d+ s\t██\t\n$/,
    );
  });

  test("does not take a destination that does not answer for one that is empty", async () => {
    await makeSet();
    renameSync(ground.at("operator"), ground.at("aside"));
    writeFileSync(ground.at("operator"), "no folder");
    addReport(groundOfServer(), (await ground.sets())[0] ?? "", drilled(1));
    const shown = await lcops("backup", "status");
    expect(shown.code).toBe(3);
    expect(shown.stdout).toMatch(/\tNO ANSWER\tproven/);
    expect(shown.stderr).toMatch(/^lcops: operator \(\S+\): \S/);
  });
});

/** The ground with its operator's destination put aside. */
const groundOfServer = (): BackupGround => ({
  ...ground,
  at: (...names) => ground.at(...names.map((name) => (name === "operator" ? "aside" : name))),
});

test("a bucket whose account cannot be asked costs nothing at the other destination", async () => {
  ground.configure(({ environments, backups }) => {
    Object.assign(environments?.["dev"] ?? {}, { aws: { regions: ["us-west-2"] } });
    if (backups) backups.destinations.server = { bucket: "far-away", environment: "dev" };
  });
  // A run that was killed, whose leavings are at both.
  const unfinished = ground.at("home/.local/state/lcops/backup/unfinished");
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(path.join(unfinished, "graphite--20260101T000000Z-abcdef"), "");
  const environment = {
    ...ground.environment,
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_ACCESS_KEY_ID: "x",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_MAX_ATTEMPTS: "1",
  };
  const run = await ground.run(["backup", "run"], { environment });
  expect(run).toMatchObject({ code: 3, stdout: "" });
  expect(run.stderr).toMatch(/^lcops: graphite: the set \S+ is incomplete: not at server: \S/);
  const status = await ground.run(["backup", "status"], { environment });
  expect(status.code).toBe(3);
  expect(status.stdout).toMatch(/^graphite\tNO ANSWER\tNO ANSWER\t-\t\S+ kB, /);
  expect(await ground.run(["backup", "verify"], { environment })).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^lcops: server \(s3:\/\/far-away\/\): \S/) as string,
  });
  // It is not forgotten what may still be there.
  expect(existsSync(path.join(unfinished, "graphite--20260101T000000Z-abcdef"))).toBe(true);
});

describe("schedule", () => {
  test("prints lines that do what they say, from an empty environment", async () => {
    configureJob({ schedule: "15 2 * * *", keep: { last: 1 } });
    const { code, stdout, stderr } = await lcops("backup", "schedule", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { crontab } = JSON.parse(stdout) as { crontab: string[] };
    const commands = crontab.slice(2).map((line) => line.split(" ").slice(5).join(" "));
    expect(commands).toHaveLength(4);
    const home = ground.environment["HOME"] ?? "";
    for (const command of commands) {
      // As cron runs them; the time of the last is that of the first again.
      const result = spawnSync("/bin/sh", ["-c", command.replaceAll("\\%", "%")], {
        encoding: "utf8",
        env: { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/sh" },
      });
      expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    }
    expect(await ground.sets()).toHaveLength(1);
  });
});

describe("who is told", () => {
  /** Notices that a command has written down, one a line. */
  const heard = (name: string): Record<string, unknown>[] =>
    existsSync(ground.at(name))
      ? readFileSync(ground.at(name), "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : [];

  const tell = (name: string): string[] => ["sh", "-c", 'cat >> "$0"', ground.at(name)];

  test("hears of trouble, or always; and never of more than happened", async () => {
    configureJob({ notify: ["trouble", "always"] });
    ground.configure((config) => {
      config.notify = {
        trouble: { command: tell("trouble") },
        always: { command: tell("always"), when: "always" },
      };
    });
    const setId = await makeSet();
    expect(heard("trouble")).toEqual([]);
    expect(heard("always")).toEqual([
      expect.objectContaining({ event: "backup", job: "graphite", state: "complete", setId }),
    ]);
    rmSync(ground.whisper, { recursive: true });
    const failed = await lcops("backup", "run");
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(heard("trouble")).toEqual([
      expect.objectContaining({ job: "graphite", state: "failed" }),
    ]);
    expect(heard("always")).toHaveLength(2);
  });

  test("changes nothing by not hearing, and a secret address is nowhere", async () => {
    configureJob({ notify: ["down", "nobody", "failing", "watching"] });
    ground.configure((config) => {
      config.notify = {
        down: { webhook: "${env:HOOK}", when: "always" },
        nobody: { webhook: "${env:NOT_SET}", when: "always" },
        failing: { command: ["sh", "-c", "exit 7"], when: "always" },
        watching: { command: ["sh", "-c", 'env > "$0"', ground.at("seen")], when: "always" },
      };
    });
    const result: LcopsResult = await ground.run(["backup", "run", "-v"], {
      environment: { ...ground.environment, HOOK: "http://127.0.0.1:9/T0K3N" },
    });
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain(
      "lcops: graphite: down was not told: the webhook cannot be reached\n",
    );
    expect(result.stderr).toContain(
      "lcops: graphite: nobody was not told: the secret ${env:NOT_SET} is not set\n",
    );
    expect(result.stderr).toContain("lcops: graphite: failing was not told: sh ended with 7\n");
    expect(result.stderr).not.toContain("T0K3N");
    expect(readFileSync(ground.at("seen"), "utf8")).not.toMatch(/T0K3N|HOOK/);
  });
});

test("the doctor tells what is overdue, and goes on where a destination cannot be opened", async () => {
  const line = async (): Promise<Finding | undefined> => {
    const { stdout } = await lcops("doctor", "--json");
    return (JSON.parse(stdout) as Finding[]).find(({ area }) => area === "backup");
  };
  expect(await line()).toMatchObject({
    name: "graphite",
    state: "warn",
    detail: expect.stringContaining("there is no complete set") as string,
    next: "see lcops backup status",
  });
  const setId = await makeSet();
  addReport(ground, setId, drilled(1));
  expect(await line()).toMatchObject({
    state: "ok",
    detail: expect.stringContaining(setId) as string,
  });
  ground.configure(({ backups }) => {
    if (backups) backups.destinations.server = { bucket: "nobody-knows-where" };
  });
  expect(await line()).toMatchObject({ state: "fail" });
});
