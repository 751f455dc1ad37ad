import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countHalfUpdated } from "../../src/workstation/count-half-updated.ts";
import { type GitGround, hasGit, makeGitGround } from "../support/git-ground.ts";

let ground: GitGround;
beforeAll(async () => {
  if (hasGit) ground = await makeGitGround();
});
afterAll(() => ground?.stop());

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
