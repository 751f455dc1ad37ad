import { renameSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeDrill } from "../../../src/commands/backup/run-list.ts";
import { addReport } from "../../support/age-sets.ts";
import { drilled, makeSetGround, type SetGround, verified } from "../../support/set-ground.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

const list = (...words: string[]) => ground.lcops(["backup", "list", ...words]);

describe("backup list", () => {
  test("has a set once, wherever it is, with what was proven of it", async () => {
    const [old, young] = [ground.addSet(9), ground.addSet(3, { destinations: ["operator"] })];
    addReport(ground, old, verified(2));
    addReport(ground, old, drilled(1, "proven", { tookMs: 4_000 }));
    expect(await list()).toEqual({
      code: 0,
      stdout: [
        `${old}\tgraphite\tserver, operator\tcomplete\t4.2 kB\t600\tper-object\thashes, 2 days ago\tproven, 24 h ago, in 4 s`,
        `${young}\tgraphite\toperator\tcomplete\t4.2 kB\t600\tper-object\tnever\tnever`,
        "",
      ].join("\n"),
      stderr: "",
    });
  });

  test("shouts of damage that was found, and of a drill that failed", async () => {
    const setId = ground.addSet(9);
    addReport(ground, setId, verified(1, false));
    addReport(ground, setId, drilled(1, "failed"));
    expect((await list()).stdout).toContain("\tDAMAGED, 24 h ago\tFAILED, 24 h ago\n");
  });

  test("is one document with --json", async () => {
    const setId = ground.addSet(9);
    addReport(ground, setId, drilled(1));
    const { stdout } = await list("--json");
    expect(JSON.parse(stdout)).toMatchObject({
      gaps: [],
      damaged: [],
      sets: [
        {
          setId,
          job: "graphite",
          at: ["server", "operator"],
          result: "complete",
          verified: null,
          drilled: { verdict: "proven", facts: 2, rows: 600, differences: [] },
        },
      ],
    });
  });

  test("ends with 4 where a manifest cannot be believed, and shows no such set", async () => {
    const [good, bad] = [ground.addSet(9), ground.addSet(3, { destinations: ["server"] })];
    writeFileSync(ground.at("server", "manifests", "graphite", `${bad}.json`), "{}");
    const { code, stdout, stderr } = await list();
    expect(code).toBe(4);
    expect(stdout.split("\n").map((line) => line.split("\t")[0])).toEqual([good, ""]);
    expect(stderr).toBe(
      `lcops: graphite: ${bad} at server: the manifest is damaged: it is not as it was written; see lcops backup verify ${bad}\n`,
    );
  });

  test("ends with 3 where one destination does not answer, with 1 where none does", async () => {
    ground.addSet(9);
    const lose = (name: "server" | "operator"): void => {
      renameSync(ground.at(name), ground.at(`${name}-aside`));
      writeFileSync(ground.at(name), "no folder");
    };
    lose("operator");
    const partly = await list();
    expect(partly.code).toBe(3);
    expect(partly.stdout).toContain("\tserver\tcomplete\t");
    expect(partly.stderr).toMatch(/^lcops: operator \(\S+\): \S/);
    lose("server");
    expect(await list()).toMatchObject({ code: 1, stdout: "" });
  });

  test("says how to make the first one", async () => {
    expect(await list("-v")).toEqual({
      code: 0,
      stdout: "",
      stderr: "there is no set yet; lcops backup run makes one\n",
    });
  });
});

test.each([
  [undefined, "never"],
  [drilled(1, "proven", { tookMs: 61_000 }), "proven, 24 h ago, in 1 min"],
  [drilled(1, "failed"), "FAILED, 24 h ago"],
  [drilled(1, "not drilled"), "NOT DRILLED, 24 h ago"],
])("the last drill is told: %#", (report, said) => {
  expect(describeDrill(report)).toBe(said);
});
