import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { carryOutUpdate, countHalfUpdated } from "../../src/workstation/carry-out-update.ts";
import { type GitGround, hasGit, makeGitGround, type Made } from "../support/git-ground.ts";

const repository = { name: "app", folder: "/src/app" };
const options = () => ({
  environment: ground?.environment ?? {},
  signal: new AbortController().signal,
});
const STATUS = { branch: "main", ahead: 0, behind: 2, changed: 0 };

let ground: GitGround;
beforeAll(async () => {
  if (hasGit) ground = await makeGitGround();
});
afterAll(() => ground?.stop());

describe("a plan without a change", () => {
  test("is told as it is, with what git said of the branch", async () => {
    expect(
      await carryOutUpdate({ repository, status: STATUS, kind: "skip", why: "a merge" }, options()),
    ).toEqual({
      ...repository,
      branch: "main",
      ahead: 0,
      behind: 2,
      pulled: 0,
      state: "skipped",
      why: "a merge",
    });
    expect(await carryOutUpdate({ repository, kind: "fail", why: "gone" }, options())).toEqual({
      ...repository,
      pulled: 0,
      state: "failed",
      why: "gone",
    });
  });

  test("says how many commits are not pushed", async () => {
    const current = (ahead: number) =>
      carryOutUpdate(
        { repository, status: { ...STATUS, ahead, behind: 0 }, kind: "current" },
        options(),
      );
    expect(await current(3)).toMatchObject({ state: "current", why: "3 not pushed" });
    expect(await current(0)).not.toHaveProperty("why");
  });
});

async function planForward(made: Made) {
  await ground.git(made.here, "fetch", "--quiet");
  const commitOf = (name: string) => ground.git(made.here, "rev-parse", name);
  const [from, to] = [await commitOf("HEAD"), await commitOf("origin/main")];
  return {
    repository: { name: "app", folder: made.here },
    kind: "forward" as const,
    from,
    to,
    commits: 1,
  };
}

describe.skipIf(!hasGit)("a fast-forward", () => {
  test("ends at the commit that was counted", async () => {
    const made = await ground.make();
    const plan = await planForward(made);
    expect(await carryOutUpdate(plan, options())).toMatchObject({ state: "updated", pulled: 1 });
    expect(await ground.git(made.here, "rev-parse", "HEAD")).toBe(plan.to);
  });

  test("fails where somebody has changed the repository meanwhile", async () => {
    const made = await ground.make();
    const plan = await planForward(made);
    writeFileSync(path.join(made.here, "first"), "mine\n");
    expect(await carryOutUpdate(plan, options())).toMatchObject({
      state: "failed",
      pulled: 0,
      why: "somebody has changed it meanwhile",
    });
    await ground.git(made.here, "checkout", "--quiet", "first");
    await ground.commit(made.here, "mine", false);
    expect(await carryOutUpdate(plan, options())).toMatchObject({ state: "failed" });
  });
});

describe.skipIf(!hasGit)("a clone", () => {
  test("replaces what a killed one has left, and leaves nothing when it fails", async () => {
    const made = await ground.make();
    const folder = path.join(ground.folder, "cloned/app");
    mkdirSync(`${folder}.lcops-clone/.git`, { recursive: true });
    const clone = (url: string, to: string) =>
      carryOutUpdate({ repository: { name: "app", folder: to }, kind: "clone", url }, options());
    expect(await clone(made.remote, folder)).toMatchObject({ state: "cloned", branch: "main" });
    expect(existsSync(path.join(folder, "more-0"))).toBe(true);
    expect(await clone(`${made.remote}-nosuch`, `${folder}-2`)).toMatchObject({ state: "failed" });
    for (const left of [`${folder}.lcops-clone`, `${folder}-2`, `${folder}-2.lcops-clone`])
      expect(existsSync(left)).toBe(false);
  });
});

test.skipIf(!hasGit)("counts the files of a commit that are there already", async () => {
  const { here } = await ground.make();
  await ground.git(here, "fetch", "--quiet");
  const [from, to] = [
    await ground.git(here, "rev-parse", "HEAD"),
    await ground.git(here, "rev-parse", "origin/main"),
  ];
  const { environment } = ground;
  const { signal } = new AbortController();
  const count = () => countHalfUpdated(here, { from, to }, { environment, signal });
  expect(await count()).toBe(0);
  writeFileSync(path.join(here, "unrelated"), "mine");
  expect(await count()).toBe(0);
  writeFileSync(path.join(here, "more-0"), "half");
  expect(await count()).toBe(1);
  writeFileSync(path.join(here, "first"), "changed\n");
  expect(await count()).toBe(2);
  // The status may fail too: then only the added files count.
  writeFileSync(path.join(here, ".git/index"), "broken");
  expect(await count()).toBe(1);
});
