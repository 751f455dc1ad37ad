import { lstat } from "node:fs/promises";
import { describeError, OperatorError } from "../system/errors.ts";
import { hidePasswords } from "./run-git.ts";
import { countOf } from "../system/quantities.ts";
import {
  findRepository,
  findUnderWay,
  readStatus,
  type RepositoryStatus,
} from "./read-repository.ts";
import { type GitOptions, runGit, tryGit } from "./run-git.ts";

/** One repository of the configuration. */
export interface Repository {
  name: string;
  /** Absolute. */
  folder: string;
  url?: string;
}

/** What is to be done with a repository, after its remote was asked. */
export type UpdatePlan = { repository: Repository; status?: RepositoryStatus } & (
  | { kind: "clone"; url: string }
  | { kind: "forward"; from: string; to: string; commits: number }
  | { kind: "current" }
  | { kind: "skip"; why: string }
  | { kind: "fail"; why: string }
);

/** Worktrees of one repository share what a fetch writes: one after the other. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

interface PlanOptions extends GitOptions {
  /** Its copies of the remote's branches are left as they are, too: nothing but objects comes into it. */
  isLookOnly?: boolean;
}

/** Given a repository, ask its remote and return what is to be done; its branches and files are left alone. Only the aborted signal throws. */
export async function planUpdate(
  repository: Repository,
  turns: Turns,
  options: PlanOptions,
): Promise<UpdatePlan> {
  try {
    return await plan(repository, turns, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof OperatorError && error.kind === "missing") throw error;
    return { repository, kind: "fail", why: describeError(error) };
  }
}

async function plan(
  repository: Repository,
  turns: Turns,
  options: PlanOptions,
): Promise<UpdatePlan> {
  const { folder, url } = repository;
  const isThere = await lstat(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    return url === undefined
      ? { repository, kind: "fail", why: `${folder} is not there, and it has no url to clone from` }
      : { repository, kind: "clone", url };
  }
  const place = await findRepository(folder, options);
  const status = await readStatus(folder, options);
  const skip = (why: string, now = status): UpdatePlan => ({
    repository,
    status: now,
    kind: "skip",
    why,
  });
  const { branch, upstream } = status;
  const underWay = await findUnderWay(place);
  if (underWay !== undefined) return skip(underWay);
  if (branch === undefined) return skip("no branch is checked out");
  if (upstream === undefined) return skip(`${branch} has no upstream`);
  const remote = await readConfig(folder, `branch.${branch}.remote`, options);
  if (remote === undefined || remote === ".") return skip(`${branch} follows another branch here`);
  const from = hidePasswords((await readConfig(folder, `remote.${remote}.url`, options)) ?? "");
  if (url !== undefined && from !== url)
    return skip(`its remote is ${from || "none"}, and the configuration says ${url}`);
  const prune = await decidePrune(folder, remote, options);
  if (prune === "overwrites") return skip(`a fetch from ${remote} would write over branches here`);
  if (options.isLookOnly) {
    const seen = await turns(place.commonFolder, () => lookAhead(folder, remote, status, options));
    return judgeStatus(repository, { ...status, ...seen }, seen.to);
  }
  await turns(place.commonFolder, () =>
    runGit(folder, ["fetch", ...prune, "--progress", remote], options),
  );
  const now = await readStatus(folder, options);
  const { code, stdout } = await tryGit(folder, ["rev-parse", "--verify", "@{upstream}"], options);
  return judgeStatus(repository, now, code === 0 ? stdout.trim() : undefined);
}

/** Returns what is to be done, given the status after its remote was asked, and the commit of its upstream there. Pure. */
export function judgeStatus(
  repository: Repository,
  status: RepositoryStatus,
  to: string | undefined,
): UpdatePlan {
  const { commit, branch, upstream, ahead, behind, changed } = status;
  const skip = (why: string): UpdatePlan => ({ repository, status, kind: "skip", why });
  if (commit === undefined) return skip(`${branch} has no commit yet`);
  if (ahead === undefined || behind === undefined || to === undefined)
    return skip(`its upstream ${upstream} is not there any more`);
  if (behind === 0) return { repository, status, kind: "current" };
  if (ahead > 0)
    return skip(
      `it has gone another way than ${upstream}: ${countOf(ahead, "commit")} here, ${behind} there`,
    );
  if (changed > 0) return skip(`${countOf(changed, "changed file")} in it`);
  return { repository, status, kind: "forward", from: commit, to, commits: behind };
}

/** Where the upstream is at its remote, by a fetch that moves no name here: neither git-fetch(1)'s copies of branches, nor its FETCH_HEAD. */
async function lookAhead(
  folder: string,
  remote: string,
  { branch, commit }: RepositoryStatus,
  options: GitOptions,
): Promise<Pick<RepositoryStatus, "ahead" | "behind"> & { to?: string }> {
  const merge = (await readConfig(folder, `branch.${branch}.merge`, options)) ?? "";
  const listed = await runGit(folder, ["ls-remote", "--", remote, merge], options);
  const to = listed
    .split("\n")
    .find((line) => line.endsWith(`\t${merge}`))
    ?.split("\t")[0];
  if (to === undefined) return { ahead: undefined, behind: undefined };
  const quiet = ["--refmap=", "--no-tags", "--no-write-fetch-head", "--progress"];
  await runGit(folder, ["fetch", ...quiet, "--", remote, merge], options);
  if (commit === undefined) return { to };
  const words = ["rev-list", "--left-right", "--count", `${commit}...${to}`];
  const [ahead, behind] = (await runGit(folder, words, options)).trim().split("\t").map(Number);
  return { ahead: ahead ?? 0, behind: behind ?? 0, to };
}

/** Only copies of the remote's branches may go with what they are copies of: a mirror's fetch would take branches of this repository away. */
async function decidePrune(
  folder: string,
  remote: string,
  options: GitOptions,
): Promise<"overwrites" | readonly string[]> {
  const { stdout } = await tryGit(
    folder,
    ["config", "--get-all", `remote.${remote}.fetch`],
    options,
  );
  const into = stdout
    .split("\n")
    .map((line) => line.trim().split(":")[1])
    .filter((name) => name !== undefined && name !== "");
  if (into.some((name) => name?.startsWith("refs/heads/") || name === "refs/*"))
    return "overwrites";
  return into.every((name) => name?.startsWith("refs/remotes/")) ? ["--prune"] : [];
}

async function readConfig(
  folder: string,
  key: string,
  options: GitOptions,
): Promise<string | undefined> {
  const { code, stdout } = await tryGit(folder, ["config", "--get", key], options);
  return code === 0 ? stdout.trim() : undefined;
}

/** Return a function that does work of the same key one after the other, and of others at once. */
export function makeTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    return turn;
  };
}
