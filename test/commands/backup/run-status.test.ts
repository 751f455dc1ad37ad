import { renameSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readShelves } from "../../../src/commands/backup/gather-sets.ts";
import { withBackups } from "../../../src/commands/backup/open-backups.ts";
import {
  describeJob,
  exitCodeOfStatus,
  renderStatus,
} from "../../../src/commands/backup/run-status.ts";
import { addReport } from "../../support/age-sets.ts";
import { makeFakeContext, PIPED } from "../../support/fake-context.ts";
import { drilled, makeSetGround, type SetGround, verified } from "../../support/set-ground.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

/** How the job is; its service does not answer. */
const look = (now = new Date()) => {
  const { context } = makeFakeContext(ground.members);
  return withBackups(context, async (backups) => {
    const [job] = backups.pick([]);
    if (!job) throw new Error("there is a job");
    const { shelves, gaps } = await readShelves(backups, [job], context);
    const stores = await backups.stores(job.job);
    const status = describeJob(job, shelves, stores, { server: false }, now);
    return { status, gaps, code: exitCodeOfStatus([status], gaps) };
  });
};
const status = async () => {
  const { code, status: job } = await look();
  return { code, overdue: job.overdue };
};
const manifestOf = (place: "server" | "operator", setId: string): string =>
  ground.at(place, "manifests", "graphite", `${setId}.json`);

describe("the overdue list", () => {
  test("names a missing set at each place, and a missing drill", async () => {
    expect(await status()).toEqual({
      code: 4,
      overdue: [
        "server: there is no complete set",
        "operator: there is no complete set",
        "no set is proven by a drill",
      ],
    });
    const setId = ground.addSet(0);
    expect(await status()).toEqual({ code: 4, overdue: ["no set is proven by a drill"] });
    addReport(ground, setId, drilled(0));
    expect(await status()).toEqual({ code: 0, overdue: [] });
  });

  test("names sets and drills that are too old, and a wrong clock", async () => {
    const setId = ground.addSet(0);
    const old = ground.addSet(2);
    rmSync(manifestOf("operator", setId));
    addReport(ground, old, drilled(40));
    expect(await status()).toEqual({
      code: 4,
      overdue: ["operator: the newest set is 48 h old", "the last drill is 40 days old"],
    });
    ground.configureJob({ maxAgeHours: 60, drillDays: 50 });
    expect(await status()).toEqual({ code: 0, overdue: [] });
    const future = ground.addSet(-300, { destinations: ["server"] });
    expect(await status()).toEqual({
      code: 4,
      overdue: [`server: ${future} is dated in the future: a clock is wrong`],
    });
  });

  test("names found damage, and a damaged manifest", async () => {
    const setId = ground.addSet(0);
    addReport(ground, setId, drilled(1));
    addReport(ground, setId, verified(0, false));
    writeFileSync(manifestOf("operator", setId), "{}");
    expect(await status()).toEqual({
      code: 4,
      overdue: [
        `server: ${setId} is damaged`,
        "operator: there is no complete set",
        `operator: ${setId}: the manifest is damaged: it is not as it was written`,
      ],
    });
  });

  test("assumes nothing about a destination that does not answer", async () => {
    // Its only drill may be there.
    ground.addSet(0);
    renameSync(ground.at("operator"), ground.at("aside"));
    writeFileSync(ground.at("operator"), "no folder");
    const { code, status: job, gaps } = await look();
    expect({ code, overdue: job.overdue }).toEqual({ code: 3, overdue: [] });
    expect(gaps[0]).toMatch(/^operator \(\S+\): \S/);
    expect(job.copies.map(({ at, state }) => `${at} ${state}`)).toEqual([
      "server known",
      "operator unknown",
    ]);
  });
});

test("4 goes before 3: what is overdue is known", () => {
  expect(exitCodeOfStatus([{ overdue: [] }, { overdue: ["x"] }], ["gap"])).toBe(4);
  expect(exitCodeOfStatus([{ overdue: [] }], ["gap"])).toBe(3);
  expect(exitCodeOfStatus([], [])).toBe(0);
});

test("the trend is that of the last twelve complete sets where most are", async () => {
  for (let days = 14; days > 0; days--) ground.addSet(days, { destinations: ["server"] });
  ground.addSet(0.5, { more: { result: "incomplete" } });
  const { status: job } = await look();
  expect(job.trend).toEqual(Array(12).fill(4_200));
});

async function render(setting: Setting): Promise<string> {
  const now = new Date();
  const { status: job } = await look(now);
  const { terminal, out } = makeFakeTerminal(setting);
  renderStatus([job], { terminal }, now);
  return out();
}

describe("the table", () => {
  test("shows each place of a job, when it was proven, and what is overdue", async () => {
    const setId = ground.addSet(1);
    ground.addSet(0);
    addReport(ground, setId, drilled(0, "proven", { tookMs: 4_000 }));
    expect(await render(PIPED)).toMatch(
      /^graphite\tNO ANSWER\t4\.2 kB, \d s ago\t-\t4\.2 kB, \d s ago\tproven, \d s ago, in 4 s\t██\t\n$/,
    );
  });

  test("fits a screen, and tells what is overdue whole", async () => {
    ground.addSet(0);
    const color = { color: false };
    expect((await render({ columns: 80, flags: color })).split("\n")).toEqual([
      expect.stringMatching(/^JOB +LIVE +SERVER +OWN LIVE +OPERATOR +PROVEN +TREND$/),
      expect.stringMatching(
        /^graphite +NO ANSWER +\S+ kB, \d+ s ago +- +\S+ kB, \d+ s ago +never +█$/,
      ),
      "graphite: no set is proven by a drill",
      "",
    ]);
  });

  test("tells a place that is not known from one that is empty", async () => {
    ground.addSet(0, { destinations: ["server"] });
    expect(await render(PIPED)).toMatch(/\tnone\tnever\t/);
    writeFileSync(ground.at("operator"), "no folder");
    expect(await render(PIPED)).toMatch(/\tNO ANSWER\tnever\t/);
    ground.configureJob({ destinations: ["server"] });
    expect(await render(PIPED)).toMatch(/\t-\tnever\t/);
  });
});
