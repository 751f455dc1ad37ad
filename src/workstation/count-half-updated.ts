import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { readStatus } from "./read-repository.ts";
import { type GitOptions, runGit } from "./run-git.ts";

/** Given a folder without changes and the two commits of a fast-forward that has failed in it, return how many files of the second are there all the same. */
export async function countHalfUpdated(
  folder: string,
  { from, to }: { from: string; to: string },
  options: GitOptions,
): Promise<number> {
  // What has failed may fail here too.
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
