/** Fetching moto's server from the Python registry, whole or not at all. */
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
import { MOTO_REQUIREMENTS, motoFolder } from "./moto-cache.ts";
import { registryAllowed } from "./packages.ts";

export type FetchReport = { fetched: boolean; line: string };

export type FetchOptions = {
  environment: NodeJS.ProcessEnv;
  limitMs: number;
  /** Programs that may be Python 3 with venv, the best first. */
  pythons?: string[];
  /** Ends it before its time. */
  signal?: AbortSignal;
};

const UNFINISHED = ".unfinished-";

/** Takes moto's folder; removes what killed fetches have left beside it an hour ago or earlier. */
function removeUnfinished(folder: string): void {
  const parent = path.dirname(folder);
  for (const name of readdirSync(parent).filter((entry) => entry.includes(UNFINISHED))) {
    const left = path.join(parent, name);
    if (Date.now() - statSync(left).mtimeMs > 3_600_000)
      rmSync(left, { recursive: true, force: true });
  }
}

/** Runs a command in a group of its own; throws with its last line, and ends all of it when the time is over. */
function run(command: string, words: string[], options: FetchOptions, end: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    const collect = (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-2_000);
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
      else if (killedFor !== undefined) reject(new Error(killedFor));
      else reject(new Error(said.trim().split("\n").at(-1) || `it ended with ${code}`));
    });
  });
}

async function makeEnvironment(folder: string, options: FetchOptions, end: number): Promise<void> {
  let problem: unknown = new Error("no Python");
  for (const python of options.pythons ?? ["python3", "/usr/bin/python3"]) {
    options.signal?.throwIfAborted();
    if (performance.now() > end) break;
    try {
      // eslint-disable-next-line no-await-in-loop -- the next one only when this one cannot
      await run(python, ["-m", "venv", "--clear", folder], options, end);
      return;
    } catch (error) {
      problem = error;
    }
  }
  throw new Error(
    `no Python here makes virtual environments (Debian's needs python3-venv): ${(problem as Error).message}`,
    { cause: problem },
  );
}

/**
 * Takes the environment variables, a time limit and candidates for Python; fetches moto where it is missing and
 * LCOPS_LAB_ONLY allows PyPI, under another name until it is whole. Returns what came of it; never throws.
 */
export async function fetchMoto(options: FetchOptions): Promise<FetchReport> {
  const folder = motoFolder(options.environment);
  const begin = performance.now();
  if (!registryAllowed(options.environment["LCOPS_LAB_ONLY"], "pypi"))
    return { fetched: false, line: "moto: not fetched, LCOPS_LAB_ONLY leaves pypi out" };
  if (existsSync(folder)) return { fetched: true, line: `moto: there already, ${folder}` };
  let unfinished: string | undefined;
  try {
    mkdirSync(path.dirname(folder), { recursive: true });
    removeUnfinished(folder);
    unfinished = mkdtempSync(`${folder}${UNFINISHED}`);
    const end = begin + options.limitMs;
    await makeEnvironment(unfinished, options, end);
    const python = path.join(unfinished, "bin/python");
    const pip = ["-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check"];
    await run(python, [...pip, "--prefer-binary", ...MOTO_REQUIREMENTS], options, end);
    options.signal?.throwIfAborted();
    await run(python, ["-c", "import moto.server"], options, end);
    renameSync(unfinished, folder);
    const seconds = Math.round((performance.now() - begin) / 1_000);
    return { fetched: true, line: `moto: fetched in ${seconds} s, ${folder}` };
  } catch (error) {
    // Somebody else's may have been whole first.
    if (existsSync(folder)) return { fetched: true, line: `moto: there already, ${folder}` };
    return { fetched: false, line: `moto: not fetched, ${(error as Error).message}` };
  } finally {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true });
  }
}
