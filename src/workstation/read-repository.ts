import { access, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { OperatorError } from "../system/errors.ts";
import { findReason, type GitOptions, runGit, tryGit } from "./run-git.ts";

/** How a repository stands. */
export interface RepositoryStatus {
  /** Commit that is checked out; absent where there is none yet. */
  commit?: string;
  /** Absent: no branch is checked out. */
  branch?: string;
  upstream?: string;
  /** Absent where there is no upstream, or it is gone. */
  ahead?: number | undefined;
  behind?: number | undefined;
  /** Files that are tracked and changed. */
  changed: number;
}

/** Where its parts are; worktrees of one repository have one `commonFolder`. */
export interface RepositoryPlace {
  gitFolder: string;
  commonFolder: string;
}

/** Given a folder, return where its repository is. Throws `failed` where the folder is not the top of one with files. */
export async function findRepository(
  folder: string,
  options: GitOptions,
): Promise<RepositoryPlace> {
  const words = ["rev-parse", "--is-bare-repository", "--absolute-git-dir", "--git-common-dir"];
  const result = await tryGit(folder, words, options);
  const [isBare, gitFolder = "", common = ""] = result.stdout.trim().split("\n");
  if (result.code !== 0) {
    const reason = findReason(result.stderr) ?? "";
    throw new OperatorError(
      "failed",
      reason.startsWith("not a git repository") ? "the folder is no git repository" : reason,
    );
  }
  if (isBare === "true") throw new OperatorError("failed", "it is bare, and has no files");
  const top = (await runGit(folder, ["rev-parse", "--show-toplevel"], options)).trim();
  if ((await realpath(top)) !== (await realpath(folder)))
    throw new OperatorError("failed", `the folder is a part of the repository ${top}`);
  return { gitFolder, commonFolder: await realpath(resolve(folder, common)) };
}

/** Given a folder, return how its repository stands; nothing of it is locked meanwhile. */
export async function readStatus(folder: string, options: GitOptions): Promise<RepositoryStatus> {
  const words = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no"];
  return parseStatus(await runGit(folder, [...words, "--ignore-submodules=all"], options));
}

/** Given the output of git-status(1), porcelain version 2 with -z, return what it says. Pure. */
export function parseStatus(text: string): RepositoryStatus {
  const records = text.split("\0").filter(Boolean);
  const head = new Map(
    records.flatMap((record): [string, string][] => {
      const [, name, value] = /^# branch\.(\S+) (.*)$/.exec(record) ?? [];
      return name === undefined ? [] : [[name, value ?? ""]];
    }),
  );
  const [, ahead, behind] = /^\+(\d+) -(\d+)$/.exec(head.get("ab") ?? "") ?? [];
  const [commit, branch, upstream] = ["oid", "head", "upstream"].map((name) => head.get(name));
  return {
    ...(commit !== undefined && commit !== "(initial)" && { commit }),
    ...(branch !== undefined && branch !== "(detached)" && { branch }),
    ...(upstream !== undefined && { upstream }),
    ...(ahead !== undefined && { ahead: Number(ahead), behind: Number(behind) }),
    // The second half of a rename has no kind before it.
    changed: records.filter((record) => /^[12u] /.test(record)).length,
  };
}

const UNDER_WAY: readonly [file: string, what: string][] = [
  ["index.lock", "another git works in it, or was killed there (index.lock)"],
  ["MERGE_HEAD", "a merge is under way"],
  ["rebase-merge", "a rebase is under way"],
  ["rebase-apply", "a rebase is under way"],
  ["CHERRY_PICK_HEAD", "a cherry-pick is under way"],
  ["REVERT_HEAD", "a revert is under way"],
  ["BISECT_LOG", "a bisect is under way"],
];

/** Given where a repository is, return what somebody does in it just now, or undefined. */
export async function findUnderWay({ gitFolder }: RepositoryPlace): Promise<string | undefined> {
  for (const [file, what] of UNDER_WAY) {
    const isThere = await access(resolve(gitFolder, file)).then(
      () => true,
      () => false,
    );
    if (isThere) return what;
  }
  return undefined;
}
