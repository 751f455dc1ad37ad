/** Git repositories of a developer's machine, each behind a bare one that stands for the team's. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

export type LabRepository = {
  /** The working copy. */
  folder: string;
  /** Where it comes from, as git takes it. */
  url: string;
};

const COMMITS = 3;
const BEHIND = 2;

/** A history as git-fast-import(1) reads it. */
function writeHistory(name: string): string {
  return Array.from({ length: COMMITS }, (_, index) => {
    const [message, content] = [`change ${index}`, `${name} ${index}\n`];
    return [
      "commit refs/heads/main",
      `committer Team <team@example.com> ${1_400_000_000 + index} +0000`,
      `data ${message.length}\n${message}`,
      `M 100644 inline file-${index}`,
      `data ${content.length}\n${content}`,
    ].join("\n");
  }).join("\n");
}

/** Takes a folder and names; makes a repository of each name there, whose remote has two commits more, and returns them. */
export async function makeRepositories(
  folder: string,
  names: readonly string[],
): Promise<Record<string, LabRepository>> {
  const git = async (words: readonly string[], input = ""): Promise<void> => {
    const running = promisify(execFile)("git", words, {
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
    });
    // Only one of them reads it.
    running.child.stdin?.on("error", () => {});
    running.child.stdin?.end(input);
    await running;
  };
  const made = names.map(async (name): Promise<[string, LabRepository]> => {
    const [url, here] = [path.join(folder, "remotes", `${name}.git`), path.join(folder, name)];
    await git(["init", "--quiet", "--bare", "--initial-branch=main", url]);
    await git(["-C", url, "fast-import", "--quiet"], writeHistory(name));
    await git(["clone", "--quiet", url, here]);
    const old = `HEAD~${BEHIND}`;
    await git(["-C", here, "update-ref", "refs/remotes/origin/main", old]);
    await git(["-C", here, "reset", "--quiet", "--hard", old]);
    return [name, { folder: here, url }];
  });
  return Object.fromEntries(await Promise.all(made));
}
