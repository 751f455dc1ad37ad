import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { judgeOutcomes } from "../../src/commands/machine/run-update.ts";
import { carryOutUpdate, type UpdateOutcome } from "../../src/workstation/carry-out-update.ts";
import { makeTurns } from "../../src/workstation/plan-update.ts";
import { judgeStatus, planUpdate, type Repository } from "../../src/workstation/plan-update.ts";
import type { RepositoryStatus } from "../../src/workstation/read-repository.ts";
import { type GitGround, hasGit, type Made, makeGitGround } from "../support/git-ground.ts";

describe("the plan of a repository whose remote was asked", () => {
  const repository = { name: "app", folder: "/src/app" };
  const STATUS: RepositoryStatus = {
    commit: "a1",
    branch: "main",
    upstream: "origin/main",
    ahead: 0,
    behind: 2,
    changed: 0,
  };
  test.each<[string, Partial<RepositoryStatus>, string | undefined, object]>([
    ["goes forward", {}, "b2", { kind: "forward", from: "a1", to: "b2", commits: 2 }],
    ["has nothing to do", { behind: 0 }, "a1", { kind: "current" }],
    ["has nothing to do with own commits", { behind: 0, ahead: 1 }, "a1", { kind: "current" }],
    ["has nothing to do with changes", { behind: 0, changed: 3 }, "a1", { kind: "current" }],
    ["skips one changed file", { changed: 1 }, "b2", { why: "1 changed file in it" }],
    ["skips changed files", { changed: 2 }, "b2", { why: "2 changed files in it" }],
    [
      "skips two ways, whatever has changed",
      { ahead: 3, changed: 1 },
      "b2",
      { why: "it has gone another way than origin/main: 3 commits here, 2 there" },
    ],
    [
      "skips a lost upstream",
      {},
      undefined,
      { kind: "skip", why: "its upstream origin/main is not there any more" },
    ],
    [
      "skips an upstream that cannot be counted",
      { ahead: undefined, behind: undefined },
      "b2",
      { why: "its upstream origin/main is not there any more" },
    ],
  ])("%s", (_what, more, to, plan) => {
    expect(judgeStatus(repository, { ...STATUS, ...more }, to)).toMatchObject(plan);
  });

  test("skips a branch without a commit", () => {
    const { commit: _, ...unborn } = STATUS;
    expect(judgeStatus(repository, unborn, "b2")).toMatchObject({
      kind: "skip",
      why: "main has no commit yet",
    });
  });
});

interface Case {
  what: string;
  /** Changes a repository that is one commit behind. */
  arrange: (made: Made, ground: GitGround) => Promise<unknown> | void;
  state: "skipped" | "failed" | "updated" | "current";
  why: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "a changed file",
    arrange: ({ here: at }) => writeFileSync(path.join(at, "first"), "mine\n"),
    state: "skipped",
    why: /^1 changed file in it$/,
  },
  {
    what: "an added file",
    arrange: async ({ here: at }, { git }) => {
      writeFileSync(path.join(at, "mine"), "mine\n");
      await git(at, "add", "mine");
    },
    state: "skipped",
    why: /^1 changed file in it$/,
  },
  {
    what: "an untracked file where one would come",
    arrange: ({ here: at }) => writeFileSync(path.join(at, "more-0"), "mine\n"),
    state: "failed",
    why: /untracked working tree files would be overwritten/,
  },
  {
    what: "another untracked file",
    arrange: ({ here: at }) => writeFileSync(path.join(at, "mine"), "mine\n"),
    state: "updated",
    why: /^$/,
  },
  {
    what: "no branch",
    arrange: ({ here: at }, { git }) => git(at, "checkout", "--quiet", "--detach"),
    state: "skipped",
    why: /^no branch is checked out$/,
  },
  {
    what: "two ways",
    arrange: ({ here: at }, { commit }) => commit(at, "mine", false),
    state: "skipped",
    why: /^it has gone another way than origin\/main: 1 commit here, 1 there$/,
  },
  {
    what: "a remote whose past was rewritten",
    arrange: async ({ here: at, other }, { git }) => {
      await git(at, "pull", "--quiet");
      await git(other, "commit", "--quiet", "--amend", "-m", "rewritten");
      await git(other, "push", "--quiet", "--force");
    },
    state: "skipped",
    why: /^it has gone another way/,
  },
  {
    what: "no upstream",
    arrange: ({ here: at }, { git }) => git(at, "checkout", "--quiet", "--no-track", "-b", "mine"),
    state: "skipped",
    why: /^mine has no upstream$/,
  },
  {
    what: "an upstream that was removed",
    arrange: async ({ here: at, other }, { git }) => {
      await git(at, "checkout", "--quiet", "-b", "gone");
      await git(at, "push", "--quiet", "--set-upstream", "origin", "gone");
      await git(other, "push", "--quiet", "origin", ":gone");
    },
    state: "skipped",
    why: /^its upstream origin\/gone is not there any more$/,
  },
  {
    what: "an upstream in the repository itself",
    arrange: ({ here: at }, { git }) =>
      git(at, "checkout", "--quiet", "--track", "-b", "mine", "main"),
    state: "skipped",
    why: /^mine follows another branch here$/,
  },
  {
    what: "a merge under way",
    arrange: async ({ here: at }, { git, commit }) => {
      await git(at, "checkout", "--quiet", "-b", "side");
      await commit(at, "side", false);
      await git(at, "checkout", "--quiet", "main");
      await git(at, "merge", "--quiet", "--no-ff", "--no-commit", "side");
    },
    state: "skipped",
    why: /^a merge is under way$/,
  },
  {
    what: "a rebase under way",
    arrange: async ({ here: at }, { git, commit }) => {
      await commit(at, "mine", false);
      await git(at, "rebase", "--quiet", "--exec", "false", "HEAD~1").catch(() => undefined);
    },
    state: "skipped",
    why: /^a rebase is under way$/,
  },
  {
    what: "no commit yet",
    arrange: async ({ here: at, remote }, { git, folder }) => {
      rmSync(at, { recursive: true });
      await git(folder, "init", "--quiet", "--initial-branch=main", at);
      await git(at, "remote", "add", "origin", remote);
      await git(at, "config", "branch.main.remote", "origin");
      await git(at, "config", "branch.main.merge", "refs/heads/main");
    },
    state: "skipped",
    why: /^main has no commit yet$/,
  },
  {
    what: "a fetch that would write over branches",
    arrange: async ({ here: at }, { git }) => {
      await git(at, "config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*");
      await git(at, "branch", "only-here");
    },
    state: "skipped",
    why: /^its upstream refs\/heads\/main is not there any more$|^a fetch from origin would write over branches here$/,
  },
  {
    what: "a lock of another git",
    arrange: ({ here: at }) => writeFileSync(path.join(at, ".git/index.lock"), ""),
    state: "skipped",
    why: /index\.lock/,
  },
  {
    what: "a remote that has gone",
    arrange: ({ remote }) => renameSync(remote, `${remote}.moved`),
    state: "failed",
    why: /does not appear to be a git repository/,
  },
  {
    what: "no network",
    arrange: ({ here: at }, { git }) =>
      git(at, "remote", "set-url", "origin", "http://127.0.0.1:1/team/app.git"),
    state: "failed",
    why: /unable to access 'http:\/\/127\.0\.0\.1:1/,
  },
  {
    what: "no repository",
    arrange: ({ here: at }) => rmSync(path.join(at, ".git"), { recursive: true }),
    state: "failed",
    why: /^the folder is no git repository$/,
  },
];

let ground: GitGround;
beforeAll(async () => {
  if (hasGit) ground = await makeGitGround();
});
afterAll(() => ground?.stop());

async function update(repository: Repository): Promise<UpdateOutcome> {
  const { environment } = ground;
  const { signal } = new AbortController();
  const plan = await planUpdate(repository, makeTurns(), { environment, signal });
  return carryOutUpdate(plan, { environment, signal });
}

describe.skipIf(!hasGit)("an update", () => {
  test.concurrent.each(CASES)(
    "does no harm to a repository with $what, and says so",
    async ({ arrange, state, why }) => {
      const made = await ground.make();
      await arrange(made, ground);
      // The status of git, and every file.
      const look = (): Promise<string[]> =>
        Promise.all([
          ground
            .git(made.here, "status", "--porcelain=v2", "--branch")
            // A fetch counts what is behind.
            .then((text) => text.replace(/\n# branch\.ab .*/, ""))
            .catch(() => "none"),
          readFiles(made.here),
        ]);
      const before = await look();
      const outcome = await update({ name: made.name, folder: made.here });
      expect(outcome).toMatchObject({ state });
      expect(outcome.why ?? "").toMatch(why);
      expect(judgeOutcomes([outcome])).toBe(state === "updated" ? 0 : 1);
      if (state !== "updated") expect(await look()).toEqual(before);
      else expect(existsSync(path.join(made.here, "mine"))).toBe(true);
    },
  );

  test("finds a repository with changes current when there is nothing to pull", async () => {
    const made = await ground.make("app", 0);
    writeFileSync(path.join(made.here, "first"), "mine\n");
    const outcome = await update({ name: made.name, folder: made.here });
    expect(outcome).toMatchObject({ state: "current" });
    expect(judgeOutcomes([outcome])).toBe(0);
  });

  test("leaves a repository alone whose remote is another than configured", async () => {
    const made = await ground.make();
    await ground.git(made.here, "remote", "set-url", "origin", made.remote);
    const url = "git@example.com:team/app.git";
    const outcome = await update({ name: "app", folder: made.here, url });
    expect(outcome).toMatchObject({ state: "skipped", pulled: 0 });
    expect(outcome.why).toContain(`its remote is ${made.remote}, and the configuration says git@`);
  });

  test("needs an address to clone from", async () => {
    const folder = path.join(ground.folder, "nowhere");
    const outcome = await update({ name: "app", folder });
    expect(outcome).toMatchObject({ state: "failed", pulled: 0 });
    expect(outcome.why).toBe(`${folder} is not there, and it has no url to clone from`);
    expect(judgeOutcomes([outcome])).toBe(1);
  });

  test("throws the reason of its signal, and nothing else", async () => {
    const made = await ground.make();
    const { environment } = ground;
    const stopping = new AbortController();
    stopping.abort(new Error("stopped"));
    const options = { environment, signal: stopping.signal };
    await expect(
      planUpdate({ name: "app", folder: made.here }, makeTurns(), options),
    ).rejects.toThrow("stopped");
  });
});

async function readFiles(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name !== ".git").sort();
  const files = names.map(async (name) => [name, await readFile(path.join(folder, name), "utf8")]);
  return JSON.stringify(await Promise.all(files));
}

function open() {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  return { held, release };
}

test("does work of one key in turn, and of another key at once", async () => {
  const turns = makeTurns();
  const done: string[] = [];
  const gate = open();
  const first = turns("a", async () => {
    await gate.held;
    done.push("first");
  });
  const second = turns("a", async () => void done.push("second"));
  await turns("b", async () => void done.push("other"));
  expect(done).toEqual(["other"]);
  gate.release();
  await Promise.all([first, second]);
  expect(done).toEqual(["other", "first", "second"]);
});

test("goes on after work that has failed, and returns what work returns", async () => {
  const turns = makeTurns();
  const failing = turns("a", () => Promise.reject(new Error("no")));
  const next = turns("a", () => Promise.resolve(7));
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe(7);
});
