import { afterAll, describe, expect, test } from "vitest";
import { exitCodeOfVerdicts, readLevel, tell } from "../../../src/commands/backup/run-verify.ts";
import { PIPED, tellFailure } from "../../support/fake-context.ts";
import { makeSetGround, verified } from "../../support/set-ground.ts";
import { makeFakeTerminal } from "../../terminal/fake-streams.ts";

describe("--level", () => {
  test("is one of three, hashes where it is absent", () => {
    expect([undefined, "sizes", "hashes", "decode"].map(readLevel)).toEqual([
      "hashes",
      "sizes",
      "hashes",
      "decode",
    ]);
  });

  test.each(["all", "", "Hashes"])("is not %j", async (level) => {
    expect(await tellFailure(() => readLevel(level))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: there is no level ${level}; choose one of sizes, hashes, decode\n`,
    });
  });
});

const WHOLE = { report: verified(0) };
const DAMAGED = { report: verified(0, false) };
const GAP = { gap: "no answer" };
const NOT_KEPT = { report: verified(0), gap: "its report is not kept" };

test.each<[string, Parameters<typeof exitCodeOfVerdicts>[0], number]>([
  ["all is whole", [WHOLE, WHOLE], 0],
  ["there is nothing to look at", [], 0],
  ["a copy is damaged", [WHOLE, DAMAGED], 4],
  ["a copy is damaged, and another not known", [GAP, DAMAGED], 4],
  ["one is not known", [WHOLE, GAP], 3],
  ["none is known", [GAP, GAP], 1],
  ["a report is not kept", [NOT_KEPT], 3],
  ["one report is not kept, and another copy not known", [NOT_KEPT, GAP], 3],
])("where %s the exit code is %3$i", (_what, verdicts, code) => {
  expect(exitCodeOfVerdicts(verdicts)).toBe(code);
});

function say(more: Partial<Parameters<typeof tell>[0]>): string {
  const { terminal, err } = makeFakeTerminal({ ...PIPED, flags: { verbose: true } });
  tell({ setId: "S", job: "graphite", at: "server", ...more }, "decode", { terminal });
  return err();
}

describe("the message for a copy", () => {
  test.each([
    [WHOLE, "graphite: S at server is whole (decode)\n"],
    [
      { report: { ...verified(0), readBack: { objects: 9, unhashed: 2 } } },
      "graphite: S at server is whole (decode); of 2 of the 9 objects that were read no hash is known: their bytes were counted\n",
    ],
    [
      { report: verified(0), unread: "rds:lcops-1" },
      "graphite: S at server is whole (decode); the snapshot rds:lcops-1 is there and complete, as its service says: of its bytes none was read\n",
    ],
    [DAMAGED, "lcops: graphite: S at server: a part is damaged\n"],
    [GAP, "lcops: graphite: S at server is not verified: no answer\n"],
    [
      NOT_KEPT,
      "lcops: graphite: S at server: its report is not kept\ngraphite: S at server is whole (decode)\n",
    ],
  ])("%#", (verdict, said) => {
    expect(say(verdict)).toBe(said);
  });

  test("is printable", () => {
    const findings = ["\u001b[2J"];
    expect(say({ report: { ...verified(0, false), findings } })).toContain("\\x1b[2J");
  });
});

describe("backup verify", () => {
  const ground = makeSetGround();
  afterAll(() => ground.remove());

  test.each([[["nosuch"]], [["--level", "all"]], [["graphite"]]])(
    "%j is a mistake: there is no such set, or level",
    async (words) => {
      const result = await ground.lcops(["backup", "verify", ...words]);
      expect(result).toMatchObject({ code: 2, stdout: "" });
    },
  );

  test("ends with 1 when no job has a set yet", async () => {
    expect(await ground.lcops(["backup", "verify"])).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "lcops: graphite is not verified: the job graphite has no set yet; lcops backup run graphite\n",
    });
  });
});
