import { renameSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkBackups } from "../../src/commands/check-backups.ts";
import type { Finding } from "../../src/system/finding.ts";
import { addReport } from "../support/age-sets.ts";
import { makeFakeContext } from "../support/fake-context.ts";
import { drilled, makeSetGround, type SetGround } from "../support/set-ground.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

const check = (environmentFlag?: string): Promise<Finding[]> =>
  checkBackups({ ...makeFakeContext(ground.members).context, environmentFlag });

test("the doctor tells what is overdue, and what is well", async () => {
  expect(await check()).toMatchObject([
    {
      area: "backup",
      name: "graphite",
      state: "warn",
      detail: expect.stringContaining("there is no complete set") as string,
      next: "see lcops backup status",
    },
  ]);
  const setId = ground.addSet(1);
  addReport(ground, setId, drilled(1));
  expect(await check()).toEqual([
    {
      area: "backup",
      name: "graphite",
      state: "ok",
      detail: `${setId} at each destination, and proven`,
    },
  ]);
});

test("a destination that does not answer fails, and one that cannot be opened too", async () => {
  ground.addSet(1);
  renameSync(ground.at("operator"), ground.at("aside"));
  writeFileSync(ground.at("operator"), "no folder");
  expect(await check()).toMatchObject([
    { state: "fail", next: "mend the way to that destination" },
  ]);
  if (ground.config.backups) ground.config.backups.destinations = { server: { bucket: "nowhere" } };
  expect(await check()).toMatchObject([
    {
      state: "fail",
      detail: expect.stringMatching(/^it is not said in which account and region/) as string,
    },
  ]);
});

test("jobs of another environment than that of --env are left out", async () => {
  expect(await check("dev")).toHaveLength(1);
  expect(await check("prod")).toEqual([]);
});
