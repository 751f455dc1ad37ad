import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  findRepository,
  findUnderWay,
  parseStatus,
  readStatus,
} from "../../src/workstation/read-repository.ts";
import { type GitGround, hasGit, makeGitGround } from "../support/git-ground.ts";

describe("the status of git", () => {
  const head = (...lines: string[]): string => lines.map((line) => `# branch.${line}\0`).join("");

  test("names the commit, the branch, its upstream, and how far both are", () => {
    expect(parseStatus(head("oid a1", "head main", "upstream origin/main", "ab +3 -12"))).toEqual({
      commit: "a1",
      branch: "main",
      upstream: "origin/main",
      ahead: 3,
      behind: 12,
      changed: 0,
    });
  });

  test("leaves out what there is not", () => {
    expect(parseStatus(head("oid (initial)", "head main"))).toEqual({ branch: "main", changed: 0 });
    expect(parseStatus(head("oid a1", "head (detached)"))).toEqual({ commit: "a1", changed: 0 });
    expect(parseStatus(head("oid a1", "head main", "upstream origin/gone"))).toEqual({
      commit: "a1",
      branch: "main",
      upstream: "origin/gone",
      changed: 0,
    });
  });

  test("counts changed, renamed and unmerged files once each, and no others", () => {
    const text = [
      "1 .M N... 100644 100644 100644 a1 b2 changed file",
      "2 R. N... 100644 100644 100644 a1 b2 R100 new name",
      // The second half of a rename is a record of its own, without a kind.
      "old name",
      "u UU N... 100644 100644 100644 100644 a1 b2 c3 both",
      "? untracked",
      "! ignored",
    ];
    expect(parseStatus(`${text.join("\0")}\0`)).toEqual({ changed: 3 });
    expect(parseStatus("")).toEqual({ changed: 0 });
  });
});

let ground: GitGround;
beforeAll(async () => {
  if (hasGit) ground = await makeGitGround();
});
afterAll(() => ground?.stop());
const options = () => ({
  environment: ground.environment,
  signal: new AbortController().signal,
});

describe.skipIf(!hasGit)("a repository", () => {
  test("is read as git has it", async () => {
    const made = await ground.make("app", 0);
    await ground.commit(made.here, "mine", false);
    writeFileSync(path.join(made.here, "first"), "changed\n");
    writeFileSync(path.join(made.here, "untracked"), "");
    expect(await readStatus(made.here, options())).toEqual({
      commit: await ground.git(made.here, "rev-parse", "HEAD"),
      branch: "main",
      upstream: "origin/main",
      ahead: 1,
      behind: 0,
      changed: 1,
    });
  });

  test("shares one folder with its worktrees", async () => {
    const made = await ground.make("app", 0);
    const tree = `${made.here}-side`;
    await ground.git(made.here, "worktree", "add", "--quiet", "-b", "side", tree);
    const [here, there] = [
      await findRepository(made.here, options()),
      await findRepository(tree, options()),
    ];
    expect(here.commonFolder).toBe(path.join(made.here, ".git"));
    expect(there.commonFolder).toBe(here.commonFolder);
    expect(there.gitFolder).not.toBe(here.gitFolder);
  });

  test("is refused where the folder is none, is bare, or is a part of one", async () => {
    const made = await ground.make("app", 0);
    const find = (folder: string) => findRepository(folder, options());
    await expect(find(ground.folder)).rejects.toThrow(/^the folder is no git repository$/);
    await expect(find(made.remote)).rejects.toThrow(/^it is bare, and has no files$/);
    const part = path.join(made.here, "part");
    mkdirSync(part);
    await expect(find(part)).rejects.toThrow(`the folder is a part of the repository ${made.here}`);
  });
});

test.skipIf(!hasGit).each([
  ["index.lock", /another git works in it, .*index\.lock/],
  ["MERGE_HEAD", /^a merge is under way$/],
  ["rebase-merge", /^a rebase is under way$/],
  ["rebase-apply", /^a rebase is under way$/],
  ["CHERRY_PICK_HEAD", /^a cherry-pick is under way$/],
  ["REVERT_HEAD", /^a revert is under way$/],
  ["BISECT_LOG", /^a bisect is under way$/],
])("%s in the folder of git says what is under way", async (file, what) => {
  const gitFolder = path.join(ground.folder, `git-${file}`);
  mkdirSync(gitFolder);
  const place = { gitFolder, commonFolder: gitFolder };
  expect(await findUnderWay(place)).toBeUndefined();
  writeFileSync(path.join(gitFolder, file), "");
  expect(await findUnderWay(place)).toMatch(what);
});
