/** The built program, as tests, demo, bench and soak start it: it is never older than its sources. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { takeLock } from "../lab/state-folder.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const SOURCES = [
  "bin",
  "package-lock.json",
  "package.json",
  "rolldown.config.js",
  "src",
  "tsconfig.json",
];
/** Has the hash of the sources of which `dist` was built. The next build removes it first, and it is written last. */
const STAMP = path.join(ROOT, "dist/.sources");

/** Returns a hash of the names and contents of all sources: times lie where files are copied or unpacked. */
function hashSources(): string {
  const hash = createHash("sha256");
  const add = (name: string): void => {
    const file = path.join(ROOT, name);
    if (lstatSync(file).isDirectory()) {
      for (const entry of readdirSync(file).toSorted()) add(path.join(name, entry));
      return;
    }
    const content = readFileSync(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
  };
  for (const name of SOURCES) add(name);
  return hash.digest("hex");
}

const isStale = (): boolean => !existsSync(STAMP) || readFileSync(STAMP, "utf8") !== hashSources();

/** Builds where the sources are not those of the build. Throws with what the build has said when it fails. */
async function buildIfStale(): Promise<void> {
  if (!isStale()) return;
  const lock = await takeLock("build");
  try {
    // Another process may have built meanwhile.
    if (!isStale()) return;
    const hash = hashSources();
    rmSync(STAMP, { force: true });
    execFileSync("npm", ["run", "build", "--silent"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    writeFileSync(STAMP, hash);
  } finally {
    lock.release();
  }
}

await buildIfStale();

/** Its script, which node runs. */
export const LCOPS = path.join(ROOT, "bin/lcops.js");
