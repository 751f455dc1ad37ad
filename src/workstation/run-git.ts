import { OperatorError } from "../system/errors.ts";
import { runInGroup } from "../system/run-in-group.ts";

export interface GitOptions {
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** A remote that is alive says how far it is; one that hangs is given up. */
const SILENCE_MS = 20_000;

/** What could ask, run a program of the repository's or change more than was said is off. */
const SETTINGS = [
  "core.fsmonitor=false",
  "merge.autoStash=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "gc.auto=0",
  "maintenance.auto=false",
];

/** Given arguments of git, run it in that folder and return its output. Throws `failed` with its last words where it does not end with 0. */
export async function runGit(
  folder: string,
  args: readonly string[],
  options: GitOptions,
): Promise<string> {
  const result = await tryGit(folder, args, options);
  if (result.code === 0) return result.stdout;
  throw new OperatorError("failed", findReason(result.stderr) ?? `git ended with ${result.code}`);
}

/** The same, whatever its exit code is. */
export function tryGit(folder: string, args: readonly string[], options: GitOptions) {
  const { environment, signal } = options;
  return runInGroup("git", ["-C", folder, ...SETTINGS.flatMap((one) => ["-c", one]), ...args], {
    environment: unattended(environment),
    signal,
    silenceMs: SILENCE_MS,
  });
}

/** Nobody is asked: neither for a password, nor whether a host is to be trusted; git-config(1), git(1), ssh(1). */
function unattended(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...environment,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    SSH_ASKPASS_REQUIRE: "never",
    GIT_EDITOR: "false",
    // Its locks would be in the way of whoever works there.
    GIT_OPTIONAL_LOCKS: "0",
    ...(environment["GIT_SSH_COMMAND"] === undefined &&
      environment["GIT_SSH"] === undefined && {
        GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=15",
      }),
  };
}

/** The first line that says what went wrong, without what git puts before it. */
function findReason(stderr: string): string | undefined {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const line = lines.find((one) => /^(fatal|error): /.test(one)) ?? lines.at(-1);
  return line?.replace(/^(fatal|error): /, "").slice(0, 200);
}
