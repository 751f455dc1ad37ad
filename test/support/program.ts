/** The built program, as tests, demo, bench and soak start it: it is never older than its sources. */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { takeLock } from "../lab/state-folder.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const SOURCES = ["src", "package.json", "package-lock.json", "rolldown.config.js", "tsconfig.json"];
/** Its time is that at which the last build of this module began: what has changed since is not in it. */
const STAMP = path.join(ROOT, "dist/main.cjs");

/** Takes a file or a folder; returns when the newest of it, folders included, was changed. */
function newestOf(file: string): number {
  const stats = lstatSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(file).map((name) => newestOf(path.join(file, name)));
  return Math.max(stats.mtimeMs, ...inside);
}

function isStale(): boolean {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.some((name) => newestOf(path.join(ROOT, name)) > built);
}

/** Builds where a source is newer than the build. Throws with what the build has said when it fails. */
async function buildIfStale(): Promise<void> {
  if (!isStale()) return;
  const lock = await takeLock("build");
  try {
    // Another process may have built meanwhile.
    if (!isStale()) return;
    const begun = new Date();
    execFileSync("npm", ["run", "build", "--silent"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    utimesSync(STAMP, begun, begun);
  } finally {
    lock.release();
  }
}

await buildIfStale();

/** Its script, which node runs. */
export const LCOPS = path.join(ROOT, "bin/lcops.js");
