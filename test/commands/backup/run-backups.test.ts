import { afterAll, describe, expect, test } from "vitest";
import type { JobResult } from "../../../src/backup/run-job.ts";
import { exitCodeOfRun, tell } from "../../../src/commands/backup/run-backups.ts";
import type { ServiceConfig } from "../../../src/config/schema.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeSetGround } from "../../support/set-ground.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const result = (state: JobResult["state"], more: Partial<JobResult> = {}): JobResult => ({
  job: "school",
  state,
  destinations: [],
  plainBytes: 9_000,
  storedBytes: 4_200,
  parts: 2,
  tookMs: 1_500,
  warnings: [],
  ...more,
});
const LOCKED = { job: "school", state: "locked" } as const;
const COMPLETE = result("complete");
const INCOMPLETE = result("incomplete");
const FAILED = result("failed");
const REFUSED = result("failed", { refused: true });

test.each<[string, Parameters<typeof exitCodeOfRun>[0], number]>([
  ["all are complete", [COMPLETE, COMPLETE], 0],
  ["one is incomplete", [COMPLETE, INCOMPLETE], 3],
  ["all are incomplete", [INCOMPLETE], 3],
  ["one has failed", [COMPLETE, FAILED], 3],
  ["all have failed", [FAILED, FAILED], 1],
  ["guards alone stood in the way", [REFUSED, REFUSED], 5],
  ["one is refused, and one has failed", [REFUSED, FAILED], 1],
  ["one is refused, and one complete", [REFUSED, COMPLETE], 3],
  ["others hold every lock", [LOCKED, LOCKED], 6],
  ["others hold one lock", [LOCKED, COMPLETE], 3],
  ["one is locked, and one has failed", [LOCKED, FAILED], 1],
])("where %s the exit code is %3$i", (_what, outcomes, code) => {
  expect(exitCodeOfRun(outcomes)).toBe(code);
});

const MYSQL: ServiceConfig = { kind: "mysql", port: 3306 };
function say(
  outcome: Parameters<typeof tell>[1],
  flags: Setting["flags"] = { verbose: true },
): string {
  const { terminal, err } = makeFakeTerminal({ ...PIPED, flags });
  tell({ service: MYSQL }, outcome, { terminal });
  return err();
}

describe("the message for a job", () => {
  const destinations: JobResult["destinations"] = [
    { name: "server", place: "/server", state: "stored" },
    { name: "operator", place: "/operator", state: "stored" },
  ];

  test("is empty in cron when the set is complete", () => {
    expect(say(result("complete", { setId: "S", destinations }), {})).toBe("");
    expect(say(result("complete", { setId: "S", destinations, rows: 8_211 }))).toBe(
      "school: S, 4.2 kB in 2 parts, 8211 rows, in 1.5 s, at server and operator\n",
    );
  });

  test("names the parts of earlier sets and snapshots", () => {
    const referred = { parts: 1, storedBytes: 1_000 };
    expect(say(result("complete", { setId: "S", destinations, referred }))).toContain(
      "in 2 parts, and 1.0 kB in 1 part of earlier sets, in 1.5 s",
    );
    const external = { added: 1_000_000, total: 3_000_000_000 };
    expect(say(result("complete", { setId: "S", destinations, external }))).toContain(
      ", a snapshot of 3.0 GB, 1.0 MB of it new, in",
    );
  });

  test.each([
    [LOCKED, "lcops: school: another run of this job holds the lock; wait for it\n"],
    [
      result("incomplete", { setId: "S", reason: "not at server: no room" }),
      "lcops: school: the set S is incomplete: not at server: no room\n",
    ],
    [
      result("failed", { reason: "no answer", next: "mend it" }),
      "lcops: school has failed: no answer; mend it\n",
    ],
    [
      result("failed", { reason: "30 % is gone", refused: true }),
      "lcops: school is refused: 30 % is gone\n",
    ],
  ])("shows a set that is not complete, even with --quiet: %#", (outcome, said) => {
    expect(say(outcome, { quiet: true })).toBe(said);
  });

  test("notes the warnings of its driver", () => {
    const warnings = [{ code: "BROKEN_FILES", object: "a.wsp", detail: "it has 5 bytes" }];
    expect(say(result("complete", { setId: "S", warnings }))).toContain(
      "school: BROKEN_FILES a.wsp: it has 5 bytes\n",
    );
  });
});

describe("backup run", () => {
  const ground = makeSetGround();
  afterAll(() => ground.remove());

  test("names the known jobs for an unknown one", async () => {
    expect(await ground.lcops(["backup", "run", "nosuch"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: there is no backup job nosuch; name one of graphite\n",
    });
  });
});
