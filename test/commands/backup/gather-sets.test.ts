import { renameSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findSet, gatherSets } from "../../../src/commands/backup/gather-sets.ts";
import { withBackups } from "../../../src/commands/backup/open-backups.ts";
import { addReport } from "../../support/age-sets.ts";
import { makeFakeContext, tellFailure } from "../../support/fake-context.ts";
import { makeSetGround, type SetGround, verified } from "../../support/set-ground.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

/** Names of the copies that a name finds, and what else is told. */
const find = (name: string) => {
  const { context, err } = makeFakeContext(ground.members);
  return withBackups(context, async (backups) => {
    const { job, copies, bad, gaps } = await findSet(backups, name, context);
    return {
      job: job.name,
      copies: copies.map(({ setId, store }) => `${setId} ${store.name}`),
      bad: bad.map(({ setId, store }) => `${setId} ${store.name}`),
      gaps,
      err: err(),
    };
  });
};
const damage = (setId: string): void =>
  writeFileSync(ground.at("server", "manifests", "graphite", `${setId}.json`), "{}");
/** The operator's destination does not answer. */
const lose = (): void => {
  renameSync(ground.at("operator"), ground.at("aside"));
  writeFileSync(ground.at("operator"), "no folder");
};
const dayOf = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

describe("findSet", () => {
  test("finds the newest set of a job, and a set by its name, at each destination", async () => {
    const [old, young] = [ground.addSet(9), ground.addSet(3)];
    const both = (setId: string): string[] => [`${setId} server`, `${setId} operator`];
    expect(await find("graphite")).toEqual({
      job: "graphite",
      copies: both(young),
      bad: [],
      gaps: [],
      err: "",
    });
    expect((await find(old)).copies).toEqual(both(old));
  });

  test("finds the newest set of a moment", async () => {
    const [oldest, old] = [ground.addSet(9), ground.addSet(3)];
    ground.addSet(1);
    expect((await find(`graphite@${dayOf(2)}`)).copies[0]).toContain(old);
    expect((await find(`graphite@${dayOf(9)}`)).copies[0]).toContain(oldest);
  });

  test("puts a copy that was found damaged last", async () => {
    const setId = ground.addSet(1);
    addReport(
      { at: (place = "", ...more) => ground.at(place === "operator" ? "aside" : place, ...more) },
      setId,
      verified(0, false),
    );
    expect((await find(setId)).copies).toEqual([`${setId} operator`, `${setId} server`]);
  });

  test("does not hide a damaged newest set behind an older one that is whole", async () => {
    ground.addSet(9);
    const young = ground.addSet(3, { destinations: ["server"] });
    damage(young);
    expect(await find("graphite")).toMatchObject({ copies: [], bad: [`${young} server`] });
  });

  test.each<[string, string]>([
    ["graphite", "the job graphite has no set yet; lcops backup run graphite"],
    ["nosuch", "there is no set nosuch; see lcops backup list"],
    ["graphite@2020-01-31", "there is no set graphite@2020-01-31; see lcops backup list"],
    [
      "graphite@yesterday",
      "yesterday is no time; a day or a minute of UTC is expected, 2026-01-31 or 2026-01-31T02:15",
    ],
    [
      "graphite@2026-02-30",
      "2026-02-30 is no time; a day or a minute of UTC is expected, 2026-01-31 or 2026-01-31T02:15",
    ],
  ])("finds nothing by %s, and says what to do", async (name, said) => {
    expect(await tellFailure(() => find(name))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });

  test("says that a destination does not answer, where that may be why nothing is found", async () => {
    ground.addSet(1, { destinations: ["operator"] });
    lose();
    const { stderr } = await tellFailure(() => find("graphite"));
    expect(stderr).toBe(
      "lcops: the job graphite has no set yet, and not every destination answers; lcops backup run graphite\n",
    );
  });
});

test("gatherSets goes on with the other destination where one does not answer, and warns", async () => {
  ground.addSet(1);
  lose();
  const { context, err } = makeFakeContext(ground.members);
  const { shelves, gaps } = await withBackups(context, (backups) =>
    gatherSets(backups, backups.pick([]), context),
  );
  expect(shelves.map(({ store, sets }) => `${store.name} ${sets.length}`)).toEqual(["server 1"]);
  expect(gaps).toHaveLength(1);
  expect(err()).toBe(`lcops: ${gaps[0]}\n`);
  expect(gaps[0]).toMatch(/^operator \(\S+\): \S/);
});
