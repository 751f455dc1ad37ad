/** Fetching a part of the lab from its registry, whole or not at all. */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { registryAllowed } from "./packages.ts";

export type FetchReport = { fetched: boolean; line: string };

export type FetchOptions = {
  environment: NodeJS.ProcessEnv;
  limitMs: number;
  /** Ends it before its time. */
  signal?: AbortSignal;
};

/** Of a fetch whose time is over, or that was stopped: nothing else is worth a try. */
export class FetchEnded extends Error {}

/** Runs a command and what it starts. Throws with what it said last, or with the reason why it was ended. */
export type FetchCommand = (
  command: string,
  words: string[],
  more?: Record<string, string>,
) => Promise<void>;

export type FetchRecipe = {
  name: string;
  registry: "pypi" | "maven" | "go" | "npm";
  /** Where it ends, not there before it is whole. */
  folder: string;
  /** Fills the folder that it is given, which is there and empty, and in which its programs run. Throws when it cannot. */
  make: (unfinished: string, run: FetchCommand) => Promise<void>;
};

const UNFINISHED = ".unfinished-";

/** Takes a part's folder; removes what killed fetches have left beside it an hour ago or earlier. */
function removeUnfinished(folder: string): void {
  const parent = path.dirname(folder);
  for (const name of readdirSync(parent).filter((entry) => entry.includes(UNFINISHED))) {
    const left = path.join(parent, name);
    if (Date.now() - statSync(left).mtimeMs > 3_600_000)
      rmSync(left, { recursive: true, force: true });
  }
}

/** Takes what a program said; returns the line that tells why it failed: Maven's first error, else the last line. */
function findReason(said: string): string | undefined {
  const lines = stripVTControlCharacters(said).trim().split("\n");
  const marked = lines.find((line) => line.startsWith("[ERROR]"));
  return (marked ?? lines.at(-1))?.slice(0, 300) || undefined;
}

/** Runs a command in a group of its own; ends all of it when the time is over or the signal says so. */
function run(
  command: string,
  words: string[],
  { folder, end, ...options }: FetchOptions & { folder: string; end: number },
  more: Record<string, string> = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: folder,
      env: { ...options.environment, ...more },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    const collect = (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-20_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    let killedFor: string | undefined;
    const kill = (reason: string) => {
      killedFor ??= reason;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    const stop = () => kill("stopped");
    options.signal?.addEventListener("abort", stop, { once: true });
    const late = () => kill(`not done within ${options.limitMs / 1_000} s`);
    const timer = setTimeout(late, Math.max(0, end - performance.now()));
    const unhook = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      unhook();
      reject(error);
    });
    child.once("close", (code) => {
      unhook();
      if (code === 0) resolve();
      else if (killedFor !== undefined) reject(new FetchEnded(killedFor));
      else reject(new Error(findReason(said) ?? `it ended with ${code}`));
    });
  });
}

/**
 * Takes what to fetch and limits; fetches it where it is missing and LCOPS_LAB_ONLY allows its registry, under another
 * name until it is whole. Returns what came of it; never throws.
 */
export async function fetchPart(recipe: FetchRecipe, options: FetchOptions): Promise<FetchReport> {
  const { name, registry, folder } = recipe;
  const begin = performance.now();
  if (!registryAllowed(options.environment["LCOPS_LAB_ONLY"], registry))
    return { fetched: false, line: `${name}: not fetched, LCOPS_LAB_ONLY leaves ${registry} out` };
  if (existsSync(folder)) return { fetched: true, line: `${name}: there already, ${folder}` };
  let unfinished: string | undefined;
  try {
    mkdirSync(path.dirname(folder), { recursive: true });
    removeUnfinished(folder);
    const made = mkdtempSync(`${folder}${UNFINISHED}`);
    unfinished = made;
    const end = begin + options.limitMs;
    await recipe.make(made, (command, words, more) =>
      run(command, words, { ...options, folder: made, end }, more),
    );
    options.signal?.throwIfAborted();
    renameSync(unfinished, folder);
    const seconds = Math.round((performance.now() - begin) / 1_000);
    return { fetched: true, line: `${name}: fetched in ${seconds} s, ${folder}` };
  } catch (error) {
    // Somebody else's may have been whole first.
    if (existsSync(folder)) return { fetched: true, line: `${name}: there already, ${folder}` };
    return { fetched: false, line: `${name}: not fetched, ${(error as Error).message}` };
  } finally {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true });
  }
}
