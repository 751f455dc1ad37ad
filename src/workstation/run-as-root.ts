import { OperatorError } from "../system/errors.ts";
import type { ProgramResult } from "../system/program.ts";
import { runToExit } from "../system/run-to-exit.ts";

const LIMIT_MS = 120_000;

/** Given lcops' variables, return those for programs of the system: their folders are searched too, and they say what they say in English. */
export function systemEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...environment,
    PATH: `${environment["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    LC_ALL: "C",
  };
}

/** Given a command line for root, return it as this user runs it. */
export function wordsForRoot(words: readonly string[]): readonly string[] {
  return process.getuid?.() === 0 ? words : ["sudo", "-n", "--", ...words];
}

/**
 * Given a command line, run it as root, through `sudo -n`, and return its exit code and output. Ctrl-C does not reach it: a restart is not left half
 * done. Throws `access` where sudo refuses, and `missing`.
 */
export async function runAsRoot(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<ProgramResult> {
  const [program = "", ...args] = wordsForRoot(words);
  const result = await runToExit(program, args, {
    environment: systemEnvironment(environment),
    timeoutMs: LIMIT_MS,
  });
  const refusal = program === "sudo" ? explainRefusal(words, result) : undefined;
  if (refusal) throw refusal;
  return result;
}

/** Given a command line that sudo was to run and how that ended, return the error where sudo itself refused. Pure. */
export function explainRefusal(
  words: readonly string[],
  { code, stderr }: ProgramResult,
): OperatorError | undefined {
  if (code !== 1) return undefined;
  const said =
    // Its warnings, as of a machine that does not find its own name, are no refusals.
    /^sudo: (.*(?:password|terminal|tty|not allowed|account).*)$/m.exec(stderr)?.[1] ??
    /^(Sorry, user .+|.+ is not in the sudoers file.*)$/m.exec(stderr)?.[1];
  if (said === undefined) return undefined;
  return new OperatorError("access", `sudo refuses ${words.join(" ")}: ${said.trim()}`, {
    next: "run sudo -v first, or allow it without a password in sudoers",
  });
}
