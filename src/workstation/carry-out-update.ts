import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError, OperatorError } from "../system/errors.ts";
import { countOf } from "../system/quantities.ts";
import type { UpdatePlan } from "./plan-update.ts";
import { readStatus } from "./read-repository.ts";
import { type GitOptions, runGit, tryGit } from "./run-git.ts";

/** What has become of a repository. */
export interface UpdateOutcome {
  name: string;
  folder: string;
  state: "updated" | "cloned" | "current" | "skipped" | "failed";
  branch?: string;
  /** Before. */
  ahead?: number;
  behind?: number;
  /** Commits that were pulled. */
  pulled: number;
  /** Why it was skipped or has failed, or what else is to be known. */
  why?: string;
}

/** Given a plan, carry it out and return what has become of it. Only the aborted signal throws, and never in the middle of a fast-forward. */
export async function carryOutUpdate(
  plan: UpdatePlan,
  options: GitOptions,
): Promise<UpdateOutcome> {
  const { repository, status } = plan;
  const { name, folder } = repository;
  const { branch, ahead, behind } = status ?? {};
  const base = {
    name,
    folder,
    ...(branch !== undefined && { branch }),
    ...(ahead !== undefined && { ahead }),
    ...(behind !== undefined && { behind }),
    pulled: 0,
  };
  if (plan.kind === "skip") return { ...base, state: "skipped", why: plan.why };
  if (plan.kind === "fail") return { ...base, state: "failed", why: plan.why };
  if (plan.kind === "current") {
    const unpushed = ahead === undefined || ahead === 0 ? {} : { why: `${ahead} not pushed` };
    return { ...base, state: "current", ...unpushed };
  }
  try {
    if (plan.kind === "clone") {
      const made = await clone(folder, plan.url, options);
      const why = await describeSubmodules(folder, options);
      return {
        ...base,
        state: "cloned",
        ...(made !== undefined && { branch: made }),
        ...(why !== undefined && { why }),
      };
    }
    await forward(folder, plan, options);
    const note = await describeSubmodules(folder, whole(options));
    const more = note === undefined ? {} : { why: note };
    return { ...base, state: "updated", pulled: plan.commits, ...more };
  } catch (error) {
    options.signal.throwIfAborted();
    return { ...base, state: "failed", why: describeError(error) };
  }
}

/** Filters and hooks of a checkout may be slow, and say nothing meanwhile. */
const CHECKOUT_SILENCE_MS = 600_000;

/** A checkout that is stopped leaves files of both commits: once begun, it is let end. */
const whole = (options: GitOptions): GitOptions => ({
  ...options,
  signal: new AbortController().signal,
  silenceMs: CHECKOUT_SILENCE_MS,
});

/** To the commit that was counted, and only where nothing has changed since: git itself refuses what would be overwritten. */
async function forward(
  folder: string,
  { from, to }: { from: string; to: string },
  options: GitOptions,
): Promise<void> {
  const now = await readStatus(folder, options);
  if (now.commit !== from || now.changed > 0)
    throw new OperatorError("failed", "somebody has changed it meanwhile");
  const words = ["merge", "--ff-only", "--no-autostash", "--quiet", to];
  await runGit(folder, words, whole(options)).catch(async (error: unknown) => {
    const why = describeError(error);
    // It has looked before it began.
    if (/would be overwritten/.test(why)) throw error;
    const count = await countHalfUpdated(folder, { from, to }, whole(options));
    if (count === 0) throw error;
    throw new OperatorError(
      "failed",
      `${why}; it stopped half-way, ${countOf(count, "file is", "files are")} new: once that is mended, git reset --hard ${to.slice(0, 12)} ends it`,
    );
  });
  const after = await readStatus(folder, whole(options));
  if (after.commit !== to)
    throw new OperatorError("failed", `it is at ${after.commit} afterwards, not at ${to}`);
}

/** Beside its folder at first: what a killed run leaves is no repository, and the next one begins anew. Returns its branch. */
async function clone(
  folder: string,
  url: string,
  options: GitOptions,
): Promise<string | undefined> {
  const temporary = `${folder}.lcops-clone`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  try {
    const words = ["clone", "--progress", "--no-recurse-submodules", "--", url, temporary];
    await runGit(dirname(folder), words, options);
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return (await readStatus(folder, options)).branch;
}

async function describeSubmodules(
  folder: string,
  options: GitOptions,
): Promise<string | undefined> {
  const { code, stdout } = await tryGit(folder, ["submodule", "status"], options);
  const elsewhere = stdout.split("\n").filter((line) => /^[-+U]/.test(line)).length;
  return code !== 0 || elsewhere === 0
    ? undefined
    : `${countOf(elsewhere, "submodule stands", "submodules stand")} elsewhere: git submodule update --init`;
}

/** Given a folder without changes and the two commits of a fast-forward that has failed in it, return how many files of the second are there all the same. */
export async function countHalfUpdated(
  folder: string,
  { from, to }: { from: string; to: string },
  options: GitOptions,
): Promise<number> {
  // The look may fail for the same reason as the update.
  const changed = await readStatus(folder, options).then(
    (status) => status.changed,
    () => 0,
  );
  const words = ["diff", "--name-only", "-z", "--no-renames", "--diff-filter=A", from, to];
  const added = (await runGit(folder, words, options)).split("\0").filter(Boolean);
  const there = await Promise.all(
    added.map((name) =>
      lstat(join(folder, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return changed + there.filter(Boolean).length;
}
