import { afterAll, describe, expect, test } from "vitest";
import { exitCodeOfDrills, tell } from "../../../src/commands/backup/run-drill.ts";
import type { ServiceConfig } from "../../support/known-config.ts";
import { PIPED } from "../../support/fake-context.ts";
import { drilled, makeSetGround } from "../../support/set-ground.ts";
import { makeFakeTerminal } from "../../terminal/fake-streams.ts";

const of = (more: object) => ({ job: "graphite", setId: "S", ...more });
const PROVEN = of({ report: drilled(0) });
const FAILED = of({ report: drilled(0, "failed", { reason: "a metric is missing" }) });
const NOT_DONE = of({ report: drilled(0, "not drilled", { reason: "no mysqld 8.x" }) });
const GAP = { job: "graphite", gap: "no set" };
const LEFT = of({ report: drilled(0, "proven", { left: "/tmp/scratch" }) });
const NOT_KEPT = of({ report: drilled(0), gap: "its report is not kept at server" });

test.each<[string, Parameters<typeof exitCodeOfDrills>[0], number]>([
  ["all are proven", [PROVEN, PROVEN], 0],
  ["one has failed", [PROVEN, FAILED, GAP], 4],
  ["one could not be drilled", [PROVEN, NOT_DONE], 3],
  ["one has no set", [PROVEN, GAP], 3],
  ["none has a set", [GAP, GAP], 1],
  ["none could be drilled", [NOT_DONE], 3],
  ["something is left of the scratch place", [LEFT], 3],
  ["a report is not kept", [NOT_KEPT], 3],
])("where %s the exit code is %3$i", (_what, all, code) => {
  expect(exitCodeOfDrills(all)).toBe(code);
});

function say(
  one: Parameters<typeof tell>[0],
  service: ServiceConfig = { kind: "graphite", port: 1 },
): string {
  const { terminal, err } = makeFakeTerminal({ ...PIPED, flags: { verbose: true } });
  tell(one, service, { terminal });
  return err();
}

describe("the message for a drill", () => {
  test("names the counts, the place and the time of a set that is proven", () => {
    const report = drilled(0, "proven", { scratch: "/tmp/x", tookMs: 4_000 });
    expect(say(of({ report }))).toBe(
      "graphite: S is proven: 2 objects and 600 points as they were, restored in 4 s into /tmp/x\n",
    );
    // The rows of a bucket are its objects.
    expect(say(of({ report }), { kind: "s3", bucket: "b" })).toContain("proven: 600 objects as");
  });

  test("names at most ten differences of a failed drill", () => {
    const fact = (object: string, rows: number) => ({ object, rows, checksum: `crc:${rows}` });
    const differences = [
      { expected: fact("one", 5), found: fact("one", 4) },
      { expected: { object: "two" } },
      ...Array.from({ length: 20 }, () => ({ expected: fact("more", 1) })),
    ];
    const report = drilled(0, "failed", { reason: "2 objects differ", differences });
    const lines = say(of({ report })).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "lcops: graphite: the drill of S has failed: 2 objects differ",
      "  one: 5 points, crc:5; restored: 4 points, crc:4",
      "  two: not counted, no checksum; restored: missing",
    ]);
    expect(lines).toHaveLength(1 + 10 + 1);
  });

  test("gives the reason for a skipped drill, and any leftovers", () => {
    expect(say(NOT_DONE)).toBe("lcops: graphite: S is not drilled: no mysqld 8.x\n");
    expect(say(GAP)).toBe("lcops: graphite is not drilled: no set\n");
    expect(say(LEFT)).toContain(
      "lcops: graphite: the drill of S has left /tmp/scratch; the next one removes it\n",
    );
    expect(say(NOT_KEPT)).toContain(
      "lcops: graphite: the drill of S: its report is not kept at server\n",
    );
  });
});

describe("backup drill", () => {
  const ground = makeSetGround();
  afterAll(() => ground.remove());

  test("says how to make the first set of a job", async () => {
    expect(await ground.lcops(["backup", "drill"])).toMatchObject({
      code: 1,
      stderr:
        "lcops: graphite is not drilled: the job graphite has no set yet; lcops backup run graphite\n",
    });
  });
});
