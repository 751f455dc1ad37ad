import { OperatorError } from "../system/errors.ts";
import { runInGroup } from "../system/run-in-group.ts";

export interface GitOptions {
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** It is ended when it has said nothing for so long; absent: 20 s, for a remote that is alive says how far it is. */
  silenceMs?: number;
}

const SILENCE_MS = 20_000;

/** What could ask, leave a program running or change more than was said is off. */
const SETTINGS = [
  "credential.interactive=false",
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
  const { environment, signal, silenceMs = SILENCE_MS } = options;
  return runInGroup("git", ["-C", folder, ...SETTINGS.flatMap((one) => ["-c", one]), ...args], {
    environment: unattended(environment),
    signal,
    silenceMs,
  });
}

/** Where git would look instead of in the folder that it is given: lcops may run within a hook of another repository. `git rev-parse --local-env-vars`. */
const LOCATIONS = new Set([
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_NAMESPACE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_QUARANTINE_PATH",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
]);

/** Nobody is asked: neither for a password, nor whether a host is to be trusted; git-config(1), git(1), ssh(1). That it has no terminal keeps ssh from it too. */
function unattended(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => !LOCATIONS.has(name))),
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    SSH_ASKPASS_REQUIRE: "never",
    GIT_EDITOR: "false",
    // Its locks would be in the way of whoever works there.
    GIT_OPTIONAL_LOCKS: "0",
    // Of a helper that opens a window, which does not know git's own setting.
    GCM_INTERACTIVE: "never",
  };
}

/** Given what git said on stderr, return the first line that says what went wrong, without what git puts before it, and without passwords. Pure. */
export function findReason(stderr: string): string | undefined {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const line = lines.find((one) => /^(fatal|error): /.test(one)) ?? lines.at(-1);
  return line && hidePasswords(line.replace(/^(fatal|error): /, "")).slice(0, 200);
}

/**
 * Given text with addresses in it, return it without the secrets that stand in them: the password behind a user, and of a web address a user that
 * stands alone or is long, since that is how tokens are written. Pure.
 */
export function hidePasswords(text: string): string {
  const withoutTokens = text.replace(
    /(\bhttps?:\/\/)(?:[^\s/@:']+@|[^\s/@:']{20,}:[^\s/@']*@)/gi,
    "$1…@",
  );
  return withoutTokens.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:']*):[^\s/@']*@/gi, "$1@");
}
