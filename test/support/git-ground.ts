/** Git repositories in a temporary folder: a bare remote, a clone here, and a clone of somebody else who pushes. */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const hasGit = ((): boolean => {
  try {
    return execFileSync("git", ["--version"]).length > 0;
  } catch {
    return false;
  }
})();

export interface Made {
  name: string;
  /** The bare one. */
  remote: string;
  /** The clone on this machine. */
  here: string;
  /** The clone of somebody else, who has pushed. */
  other: string;
}

export interface GitGround {
  folder: string;
  /** The variables that git gets, with a home and a state folder of their own. */
  environment: Record<string, string>;
  git(where: string, ...words: string[]): Promise<string>;
  commit(where: string, file: string, push?: boolean): Promise<void>;
  /** Makes a repository here, of which the remote has `behind` commits more. */
  make(name?: string, behind?: number): Promise<Made>;
  stop(): void;
}

/** Makes the ground. Each repository is a copy of one that git has made once: remotes are relative. */
export async function makeGitGround(): Promise<GitGround> {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "lcops-repositories-")));
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_STATE_HOME: path.join(folder, "state"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TEMPLATE_DIR: "",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const git = async (where: string, ...words: string[]): Promise<string> =>
    (await run("git", ["-C", where, ...words], { env: environment })).stdout.trim();
  const commit = async (where: string, file: string, push = true): Promise<void> => {
    writeFileSync(path.join(where, file), `${file}\n`);
    await git(where, "add", file);
    await git(where, "commit", "--quiet", "-m", file);
    if (push) await git(where, "push", "--quiet", "origin", "HEAD");
  };
  const placesIn = (base: string) => ({
    remote: path.join(base, "remote.git"),
    here: path.join(base, "here"),
    other: path.join(base, "other"),
  });
  const [current, behindByOne] = ["current", "behind"].map((name) => path.join(folder, name));
  const first = placesIn(current ?? "");
  await git(folder, "init", "--quiet", "--bare", "--initial-branch=main", first.remote);
  await git(folder, "clone", "--quiet", first.remote, first.other);
  await commit(first.other, "first");
  await git(folder, "clone", "--quiet", first.remote, first.here);
  for (const clone of [first.here, first.other])
    await git(clone, "remote", "set-url", "origin", "../remote.git");
  cpSync(current ?? "", behindByOne ?? "", { recursive: true });
  await commit(placesIn(behindByOne ?? "").other, "more-0");
  let count = 0;
  return {
    folder,
    environment,
    git,
    commit,
    make: async (name = "app", behind = 1) => {
      const base = path.join(folder, `${name}-${++count}`);
      cpSync((behind === 0 ? current : behindByOne) ?? "", base, { recursive: true });
      const made = { name, ...placesIn(base) };
      for (let number = 1; number < behind; number++) await commit(made.other, `more-${number}`);
      return made;
    },
    stop: () => rmSync(folder, { recursive: true, force: true }),
  };
}
